"""Asks a strategy's own interfaces what an operator would, and compares the answers with the truth."""

import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from harness.campaign.predictions import split_key
from harness.situations import SETTLE_LIMIT_S, Situations
from harness.target.target import Launch, Stack, running_stack
from results.errors import BlockpointError
from results.schema import Interview, View
from targets.operators.operator import (
    CANCELLED,
    FAILED,
    FINISHED,
    NO,
    RAN,
    RUNNING,
    WAITING,
    YES,
    Reply,
    interfaces_of,
)
from targets.task import MAX_FAIL_FIRST, Task
from targets.work import TaskFailedError, perform

SLOTS = 2
"""of `tuned` variants, so that few tasks fill them"""
WAITERS = 12
"""more than a worker of two slots fetches ahead by default"""
FAILURES = 2
HOLDS = (1, 2, 4, 7)
"""how long the running tasks last, in times that the asking takes; the next where they ended before it"""
KILLED_TASK_S = 30.0
ACCEPT_LIMIT_S = 1.0
"""a blocked web process takes nothing meanwhile, any other a first task"""
CANCEL_SETTLE_S = 2.0
EARLY_ACK_S = 2.5
"""Celery's pool of threads acknowledges when its loop next looks, up to two seconds after the start"""
ASK_LIMIT_S = 60.0
LOST = "lost"
CANCEL = "can a waiting task be cancelled"


@dataclass(frozen=True)
class Question:
    """A question in words, how an operator puts it, and its true answer."""

    text: str
    put: str
    truth: str


def interview(launch: Launch, subject_key: str, logs: Path) -> Interview:
    """Start a subject, bring it into known situations, ask in each, and compare.

    Raises BlockpointError where it cannot be started, dies unasked, or cannot be held in a situation.
    """
    launch = replace(launch, settings=replace(launch.settings, slots=SLOTS))
    with running_stack(launch, *split_key(subject_key), logs) as stack:
        stack.preflight("sleep")
        session = _Session(launch, stack)
        views = session.while_busy()
        if not stack.subject.supervised:
            views += session.after_a_kill()
        return Interview(subject=subject_key, views=views)


class _Session:
    """One subject's situations and the questions put in them."""

    def __init__(self, launch: Launch, stack: Stack) -> None:
        self._launch = launch
        self._stack = stack
        self._tasks = Situations(stack)
        self._slots = stack.subject.services["sleep"].slots

    def while_busy(self) -> list[View]:
        """Ask while a task has finished, others have failed, and others run, with more behind them."""
        finished, failed = self._tasks.send(1, 1), self._tasks.send(FAILURES, 1, MAX_FAIL_FIRST)
        self._expect([*finished, *failed], FINISHED, FAILED)
        asking_s = interfaces_of(self._stack.subject.strategy).asking_s
        for hold_s in (asking_s * times for times in HOLDS):
            running = self._tasks.send(self._slots or 1, hold_s * 1000)
            self._expect(running, RUNNING, FINISHED)
            sent = self._tasks.send(WAITERS if self._slots else 0, 1)
            self._await_waiting(sent, running, hold_s)
            waiting = self._tasks.waiting(sent)
            before = self._tasks.states([*running, *waiting])
            questions = self._questions(finished[0], failed, running[0], waiting)
            cancel = [f"cancel={waiting[-1]}"] if waiting else []
            replies = self._ask([*(question.put for question in questions), *cancel])
            held = FINISHED not in before and self._tasks.states([*running, *waiting]) == before
            self._expect(
                [*running, *(i for i in sent if i not in waiting[-1:])],
                FINISHED,
                limit_s=hold_s + SETTLE_LIMIT_S,
            )
            if held:
                fates = [Question(CANCEL, put, self._fate_of(waiting[-1])) for put in cancel]
                return _views([*questions, *fates], replies)
        raise BlockpointError(
            f"{self._stack.subject.key}: its tasks of {hold_s:.0f} s ended before an operator had asked "
            f"everything; is the machine overloaded?"
        )

    def after_a_kill(self) -> list[View]:
        """Ask after the processes that run tasks were killed, one task running."""
        [running] = self._tasks.send(1, KILLED_TASK_S * 1000)
        self._expect([running], RUNNING)
        self._tasks.eventually(lambda: not self._tasks.in_broker(running), EARLY_ACK_S)
        self._tasks.kill_executors()
        truth = WAITING if self._tasks.in_broker(running) else LOST
        questions = [
            Question("are workers alive, after SIGKILL", "workers", self._alive()),
            Question("state of a task whose process was killed", f"state={running}", truth),
        ]
        return _views(questions, self._ask([question.put for question in questions]))

    def _questions(
        self, finished: str, failed: Sequence[str], running: str, waiting: Sequence[str]
    ) -> list[Question]:
        asked = {
            "state of a running task": running,
            "state of a finished task": finished,
            "state of a failed task": failed[0],
            "state of a task that never was": secrets.token_hex(8),
        }
        if waiting:
            ends = {
                "state of the next waiting task": waiting[0],
                "state of the last waiting task": waiting[-1],
            }
            asked = {**ends, **asked}
        truths = self._tasks.states(list(asked.values()))
        return [
            *(
                Question(text, f"state={task_id}", truth)
                for (text, task_id), truth in zip(asked.items(), truths, strict=True)
            ),
            Question("why a task failed", f"reason={failed[0]}", _raised(self._tasks.failure(failed[0]))),
            Question("how many tasks wait", "depth", str(len(waiting))),
            Question("which process runs a task", f"runner={running}", str(self._tasks.runner(running))),
            Question("how many tasks failed in all", "failures", str(len(failed))),
            Question("are workers alive", "workers", self._alive()),
        ]

    def _ask(self, questions: Sequence[str]) -> list[Reply]:
        """Put questions from a process of their own, as an operator's shell would."""
        launch, broker = self._launch, self._stack.broker
        command = [sys.executable, "-m", "targets.operators", *split_key(self._stack.subject.key), *questions]
        settings = replace(launch.settings, redis_url=broker.url) if broker else launch.settings
        environ = launch.family.environment(settings.to_environment())
        try:
            shell = subprocess.run(
                command,
                env=environ,
                cwd=launch.family.folder,
                capture_output=True,
                check=False,
                timeout=ASK_LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            raise self._failed(f"no answer within {ASK_LIMIT_S:.0f} s") from None
        if shell.returncode:
            said = shell.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise self._failed(said.removeprefix("error: "))
        return msgspec.json.decode(shell.stdout, type=list[Reply])

    def _failed(self, reason: str) -> BlockpointError:
        if gone := self._tasks.gone():
            return gone
        return BlockpointError(f"{self._stack.subject.key}: its interfaces could not be asked: {reason}")

    def _alive(self) -> str:
        return YES if any(child.running for child in self._tasks.executors()) else NO

    def _await_waiting(self, sent: Sequence[str], running: Sequence[str], hold_s: float) -> None:
        """Wait until those that were sent behind what runs have all arrived, or none comes."""
        states = self._tasks.states
        if self._tasks.eventually(lambda: not sent or WAITING in states(sent), ACCEPT_LIMIT_S):
            self._tasks.eventually(
                lambda: set(states(sent)) <= {WAITING} or FINISHED in states(running), hold_s
            )

    def _fate_of(self, task_id: str) -> str:
        """Wait for the turn of a task that was to be cancelled; returns what became of it."""

        def over() -> bool:
            in_process = self._stack.broker is None
            return FINISHED in self._tasks.states([task_id]) or not (
                in_process or self._tasks.in_broker(task_id)
            )

        self._tasks.eventually(over, SETTLE_LIMIT_S)
        # a message may be acknowledged just before its task starts
        if self._tasks.eventually(lambda: self._tasks.states([task_id]) != [WAITING], CANCEL_SETTLE_S):
            return RAN
        return WAITING if self._tasks.in_broker(task_id) else CANCELLED

    def _expect(self, ids: Sequence[str], *states: str, limit_s: float = SETTLE_LIMIT_S) -> None:
        if not self._tasks.await_states(ids, set(states), limit_s):
            raise BlockpointError(
                f"{self._stack.subject.key}: {len(ids)} tasks sent for the interview were not all "
                f"{' or '.join(states)} within {limit_s:.0f} s"
            )


def judge(meaning: str, truth: str) -> str:
    """Return the verdict on an answer: `none` where it answers nothing."""
    if not meaning:
        return "none"
    return "right" if meaning == truth else "wrong"


def _views(questions: Sequence[Question], replies: Sequence[Reply]) -> list[View]:
    return [
        View(
            question=question.text,
            interface=reply.interface,
            answer=reply.words,
            truth=question.truth,
            verdict=judge(reply.meaning, question.truth),
            took_ms=round(reply.took_ms, 3),
        )
        for question in questions
        for reply in replies
        if question.put == (f"{reply.question}={reply.task_id}" if reply.task_id else reply.question)
    ]


def _raised(attempt: int) -> str:
    """Return the text of the exception that a task of ours ends by, raising it here."""
    try:
        perform(Task(id=0, kind="sleep", units=0, fail_first=MAX_FAIL_FIRST), attempt)
    except TaskFailedError as error:
        return str(error)
    return ""
