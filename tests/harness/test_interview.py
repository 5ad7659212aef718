import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.interview import _Session, interview, judge
from harness.target.cores import Pinning
from harness.target.processes import Family, family
from harness.target.target import Launch
from results.errors import BlockpointError
from results.interviews import keep, read_interviews
from results.schema import Interview, View
from targets.operators.operator import Reply
from targets.settings import Settings

SUBJECTS = ("celery/default", "celery/tuned", "celery/durable", "arq/default", "background_tasks/default")
SUPERVISED = {"celery/durable"}
SETTINGS = Settings(units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)
AFTER_A_KILL = {"are workers alive, after SIGKILL", "state of a task whose process was killed"}
QUESTIONS = {
    "state of the next waiting task",
    "state of the last waiting task",
    "state of a running task",
    "state of a finished task",
    "state of a failed task",
    "state of a task that never was",
    "why a task failed",
    "how many tasks wait",
    "which process runs a task",
    "how many tasks failed in all",
    "are workers alive",
    "can a waiting task be cancelled",
    *AFTER_A_KILL,
}
VIEW = View(question="depth", interface="LLEN", answer="4", truth="12", verdict="wrong", took_ms=1.5)


@pytest.mark.parametrize(
    ("meaning", "truth", "verdict"),
    [("", "waiting", "none"), ("waiting", "waiting", "right"), ("waiting", "running", "wrong")],
)
def test_a_verdict_follows_from_answer_and_truth(meaning: str, truth: str, verdict: str) -> None:
    assert judge(meaning, truth) == verdict


def test_interviews_are_kept_and_read_back_by_subject(tmp_path: Path) -> None:
    assert read_interviews(tmp_path) == []
    held = [Interview(subject=subject, views=[VIEW]) for subject in ("arq/tuned", "celery/default")]
    for one in reversed(held):
        keep(tmp_path, Interview(subject=one.subject, views=[]))
        keep(tmp_path, one)
    assert read_interviews(tmp_path) == held
    assert sorted(path.name for path in (tmp_path / "interviews").iterdir()) == [
        "arq-tuned.json",
        "celery-default.json",
    ]


def test_an_interview_under_another_name_or_damaged_is_refused(tmp_path: Path) -> None:
    keep(tmp_path, Interview(subject="arq/tuned", views=[VIEW]))
    path = tmp_path / "interviews" / "arq-tuned.json"
    moved = path.rename(path.with_name("arq-default.json"))
    with pytest.raises(BlockpointError, match="moved or copied by hand"):
        read_interviews(tmp_path)
    moved.write_bytes(moved.read_bytes()[:40])
    with pytest.raises(BlockpointError, match="truncated"):
        read_interviews(tmp_path)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "interviews").write_text("a file")
    with pytest.raises(BlockpointError, match="cannot be") as refusal:
        keep(tmp_path, Interview(subject="arq/tuned", views=[]))
    assert "\n" not in str(refusal.value)


@pytest.fixture(scope="module", params=SUBJECTS)
def held(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interview]:
    with family() as members:
        launch = Launch(members, Pinning(), SETTINGS)
        yield interview(launch, request.param, tmp_path_factory.mktemp("logs"))


@pytest.mark.e2e
def test_every_question_is_put_and_its_truth_is_known(held: Interview) -> None:
    unasked = AFTER_A_KILL if held.subject in SUPERVISED else set()
    truths = {view.question: view.truth for view in held.views}
    assert set(truths) == QUESTIONS - unasked
    pid = truths.pop("which process runs a task")
    assert int(pid) > 1
    assert truths.pop("can a waiting task be cancelled") in ("cancelled", "ran")
    assert truths.pop("state of a task whose process was killed", "lost") in ("waiting", "lost")
    assert truths.pop("why a task failed").endswith("of 10 that were asked to fail")
    assert truths == {
        "state of the next waiting task": "waiting",
        "state of the last waiting task": "waiting",
        "state of a running task": "running",
        "state of a finished task": "finished",
        "state of a failed task": "failed",
        "state of a task that never was": "unheard of",
        "how many tasks wait": "12",
        "how many tasks failed in all": "2",
        "are workers alive": "yes",
        **({} if unasked else {"are workers alive, after SIGKILL": "no"}),
    }


@pytest.mark.e2e
def test_no_interface_gives_no_answer_and_no_answer_no_verdict(held: Interview) -> None:
    for view in held.views:
        if not view.interface:
            assert (view.answer, view.verdict, view.took_ms) == ("", "none", 0.0)
        elif not view.answer:
            assert view.verdict == "none"
        assert view.verdict in ("right", "wrong", "none")
        assert "\n" not in view.answer


FACTS = {
    "celery/default": {
        ("state of a running task", "AsyncResult.state"): "wrong",
        ("state of a running task", "inspect active, reserved"): "right",
        ("state of a finished task", "AsyncResult.state"): "right",
        ("state of a failed task", "AsyncResult.state"): "right",
        ("state of a task that never was", "AsyncResult.state"): "wrong",
        ("why a task failed", "AsyncResult.result"): "right",
        ("how many tasks wait", "LLEN of the queue + HLEN unacked"): "right",
        ("which process runs a task", "inspect active"): "right",
        ("how many tasks failed in all", ""): "none",
        ("are workers alive", "inspect ping"): "right",
        ("are workers alive, after SIGKILL", "inspect ping"): "right",
        ("can a waiting task be cancelled", "control.revoke"): "right",
    },
    "celery/tuned": {
        ("state of a running task", "AsyncResult.state"): "none",
        ("state of a running task", "inspect active, reserved"): "right",
        ("state of a finished task", "AsyncResult.state"): "none",
        ("state of a finished task", "inspect active, reserved"): "none",
        ("why a task failed", "AsyncResult.result"): "none",
        ("how many tasks wait", "LLEN of the queue"): "wrong",
        ("how many tasks wait", "LLEN of the queue + HLEN unacked"): "right",
        ("which process runs a task", "inspect active"): "right",
        ("can a waiting task be cancelled", "control.revoke"): "wrong",
    },
    "celery/durable": {
        ("state of a running task", "inspect active, reserved"): "right",
        ("how many tasks wait", "LLEN of the queue"): "right",
        ("how many tasks wait", "LLEN of the queue + HLEN unacked"): "wrong",
        ("which process runs a task", "inspect active"): "right",
        ("can a waiting task be cancelled", "control.revoke"): "right",
    },
    "arq/default": {
        ("state of the last waiting task", "Job.status, result_info"): "right",
        ("state of a running task", "Job.status, result_info"): "right",
        ("state of a finished task", "Job.status, result_info"): "right",
        ("state of a failed task", "Job.status, result_info"): "right",
        ("state of a task that never was", "Job.status, result_info"): "right",
        ("why a task failed", "Job.result_info"): "right",
        ("how many tasks wait", "ArqRedis.queued_jobs"): "wrong",
        ("how many tasks wait", "ZCARD arq:queue - keys arq:in-progress:*"): "right",
        ("which process runs a task", ""): "none",
        ("how many tasks failed in all", "ArqRedis.all_job_results"): "right",
        ("are workers alive", "arq --check"): "right",
        ("are workers alive, after SIGKILL", "arq --check"): "wrong",
        ("state of a task whose process was killed", "Job.status, result_info"): "wrong",
        ("can a waiting task be cancelled", "Job.abort"): "none",
    },
    "background_tasks/default": {(question, ""): "none" for question in QUESTIONS},
}


@pytest.mark.e2e
def test_what_each_strategy_is_known_to_show(held: Interview) -> None:
    verdicts = {(view.question, view.interface): view.verdict for view in held.views}
    facts = FACTS[held.subject]
    assert {asked: verdicts.get(asked) for asked in facts} == facts


@pytest.mark.e2e
def test_whether_a_cancelled_task_ran_is_measured(held: Interview) -> None:
    [cancelled] = [view for view in held.views if view.question.startswith("can a")]
    assert (cancelled.truth == "cancelled") == (held.subject in ("celery/default", "celery/durable"))


@pytest.mark.e2e
def test_where_the_tasks_ended_before_all_was_asked_longer_ones_are_sent(
    members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch = Launch(members, Pinning(), SETTINGS)
    monkeypatch.setattr("harness.interview.HOLDS", (0.0005, 4))
    views = interview(launch, "threadpool/tuned", tmp_path).views
    assert ("state of a running task", "running") in {(view.question, view.truth) for view in views}
    monkeypatch.setattr("harness.interview.HOLDS", (0.0005,))
    with pytest.raises(BlockpointError, match="ended before an operator had asked everything"):
        interview(launch, "threadpool/tuned", tmp_path)


@pytest.mark.e2e
def test_a_loop_that_takes_nothing_meanwhile_has_nothing_waiting(members: Family, tmp_path: Path) -> None:
    held = interview(Launch(members, Pinning(), SETTINGS), "background_tasks_blocking/default", tmp_path)
    truths = {view.question: view.truth for view in held.views}
    assert truths["how many tasks wait"] == "0"
    assert truths["state of a running task"] == "running"
    assert "can a waiting task be cancelled" not in truths


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("subject", "role"), [("background_tasks/default", "web"), ("arq/default", "broker")]
)
def test_a_process_that_dies_meanwhile_is_said_in_one_line(
    members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: str, role: str
) -> None:
    ask = _Session._ask

    def ask_the_dying(session: _Session, questions: Sequence[str]) -> list[Reply]:
        [victim] = [child for child in session._stack.children() if child.role == role]
        victim.signal_group(signal.SIGKILL)
        victim.process.wait()
        return ask(session, questions)

    monkeypatch.setattr(_Session, "_ask", ask_the_dying)
    with pytest.raises(BlockpointError, match=r"exited with code -?\d+ during the interview") as refusal:
        interview(Launch(members, Pinning(), SETTINGS), subject, tmp_path)
    assert "\n" not in str(refusal.value)
