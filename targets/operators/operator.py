"""An operator: someone who asks a strategy's own interfaces from outside its processes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module

import msgspec

WAITING, RUNNING, FINISHED, FAILED = "waiting", "running", "finished", "failed"
UNHEARD_OF = "unheard of"
CANCELLED, RAN = "cancelled", "ran"
YES, NO = "yes", "no"

Said = tuple[str, str]
"""an interface's own words, and what they mean in ours; no meaning where they answer nothing"""
NOTHING: Said = ("", "")


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What one interface said to one question."""

    question: str
    task_id: str = ""
    interface: str = ""
    """what was asked; empty where the strategy has none"""
    words: str = ""
    """what it said, in its own words"""
    meaning: str = ""
    """the same in the words above; empty where it answered nothing"""
    took_ms: float = 0.0


Asked = tuple[str, Said, float]
"""interface, what it said, milliseconds that it took"""


class Operator:
    """One who has no interface to ask; a strategy that has some overrides the questions they answer.

    Every question yields what each interface said to it.
    """

    def state(self, task_id: str) -> Iterator[Asked]:  # noqa: ARG002
        """Ask how far a task has come."""
        yield from ()

    def reason(self, task_id: str) -> Iterator[Asked]:  # noqa: ARG002
        """Ask for the text of the exception that ended a task."""
        yield from ()

    def runner(self, task_id: str) -> Iterator[Asked]:  # noqa: ARG002
        """Ask for the id of the process that runs a task."""
        yield from ()

    def depth(self) -> Iterator[Asked]:
        """Ask how many tasks wait."""
        yield from ()

    def failures(self) -> Iterator[Asked]:
        """Ask how many tasks have failed in all."""
        yield from ()

    def workers(self) -> Iterator[Asked]:
        """Ask whether anything runs tasks."""
        yield from ()

    def cancel(self, task_id: str) -> Iterator[Asked]:  # noqa: ARG002
        """Ask for a waiting task never to be run."""
        yield from ()


OF_A_TASK = ("state", "reason", "runner", "cancel")
IN_GENERAL = ("depth", "failures", "workers")


@dataclass(frozen=True)
class Interfaces:
    """Where a strategy's operator is to be found."""

    module: str = ""
    """has `operator(variant)`; empty where the strategy has no interface"""
    asking_s: float = 2.0
    """ample time for all questions, one after the other"""


INTERFACES = {
    "celery": Interfaces("targets.operators.celery", asking_s=8.0),
    "arq": Interfaces("targets.operators.arq", asking_s=4.0),
}


def interfaces_of(strategy: str) -> Interfaces:
    """Return what is known of a strategy's interfaces."""
    return INTERFACES.get(strategy, Interfaces())


def operator_of(strategy: str, variant: str) -> Operator:
    """Return who can ask that strategy, connecting to the broker that the environment names."""
    module = interfaces_of(strategy).module
    made: Operator = import_module(module).operator(variant) if module else Operator()
    return made


def put(operator: Operator, question: str) -> list[Reply]:
    """Put a question, `depth` or `state=TASK_ID`, to every interface that may answer it."""
    name, _, task_id = question.partition("=")
    asked = getattr(operator, name)(*([task_id] if task_id else []))
    replies = [
        Reply(question=name, task_id=task_id, interface=i, words=said[0], meaning=said[1], took_ms=ms)
        for i, said, ms in asked
    ]
    return replies or [Reply(question=name, task_id=task_id)]


def timed(interface: str, ask: Callable[[], Said], *refusals: type[Exception]) -> Asked:
    """Ask; an exception that says that the interface cannot answer becomes its words."""
    began_ns = time.perf_counter_ns()
    try:
        said = ask()
    except refusals as error:
        said = (" ".join(f"{type(error).__name__}: {error}".strip(": ").split()), "")
    return interface, said, (time.perf_counter_ns() - began_ns) / 1e6
