import pytest

from tests.selection import further, strategy_of

OTHERS = {"rq", "taskiq", "create_task"}


@pytest.mark.parametrize(
    ("test", "strategy"),
    [
        ("tests/targets/test_contract.py::test_it[rq/tuned]", "rq"),
        ("tests/targets/test_contract.py::test_it[sleep-rq/tuned]", "rq"),
        ("tests/targets/test_contract.py::test_it[arq/tuned]", ""),
        ("tests/targets/test_durable.py::test_it[SIGKILL-taskiq]", "taskiq"),
        ("tests/targets/test_create_task.py::test_it", "create_task"),
        ("tests/targets/test_contract.py::test_it[celery/tuned]", ""),
        ("tests/harness/test_theory.py::test_rq", ""),
        ("tests/analysis/test_published_queue_drills.py::test_it[rq/tuned]", ""),
    ],
)
def test_a_test_belongs_to_the_strategy_that_it_names(test: str, strategy: str) -> None:
    assert strategy_of(test, OTHERS) == strategy


def test_the_usual_ways_are_always_tested() -> None:
    assert not further() & {"inline", "background_tasks", "threadpool", "celery", "arq"}
    assert "procrastinate" in further()
