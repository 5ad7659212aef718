"""What of Celery's variants depends on the releases of Celery and kombu that run."""

from typing import Any

from harness.target.declarations import subject
from targets.settings import Settings

FORMER = "celery@5.6.3,kombu=5.6.2"


def declared(name: str, variant: str, **settings: float) -> Any:
    return subject(name, variant, Settings(**settings)).settings  # type: ignore[arg-type]


def test_only_a_loop_that_is_not_woken_goes_without_a_prefetch_limit() -> None:
    assert "worker_prefetch_multiplier" not in declared("celery", "tuned")
    assert declared(FORMER, "tuned")["worker_prefetch_multiplier"] == 0
    mixed = declared("celery@5.6.3", "tuned")
    assert "worker_prefetch_multiplier" not in mixed, "it is kombu's loop, and that is the lock's"


def test_a_look_for_hidden_tasks_comes_when_the_window_ends() -> None:
    for window_s in (0.0, 6.0, 12.0, 40.0):
        options = declared("celery", "durable", visibility_s=window_s)["broker_transport_options"]
        assert options["visibility_timeout"] == (window_s or 90.0)
        assert options["visibility_timeout"] % options["unacked_restore_interval"] == 0
        assert options["unacked_restore_throttle"] == 1
        former = declared(FORMER, "durable", visibility_s=window_s)
        assert former["second_look_s"] > former["broker_transport_options"]["visibility_timeout"]


def test_a_lost_child_counts_as_a_try_where_celery_counts_it() -> None:
    assert declared("celery", "durable")["task_retry_on_worker_lost"] is True
    assert "task_retry_on_worker_lost" not in declared(FORMER, "durable")
    assert "task_retry_on_worker_lost" not in declared("celery@5.6.3", "durable")
