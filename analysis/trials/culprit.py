"""Which requests of a service wait at its blocking point, which do not, and what that says of the cause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from analysis.format import listed
from results.schema import Subject
from results.terms import OF_A_SERVICE, Stream

_LISTED: Final = (Stream.TASKS, *OF_A_SERVICE)


@dataclass(frozen=True)
class Culprit:
    """What was slow at the lowest rate that failed, what was fast meanwhile, in the service's own words."""

    slow: tuple[str, ...]
    """the first that crossed the limit comes first"""
    fast: tuple[str, ...]
    submits: str
    """the request that starts work"""
    core_bound: str
    """whose core was near full; empty where none was"""

    @property
    def shared(self) -> bool:
        """Whether it is a thing of which there could be more, beside an event loop that is free."""
        return bool(self.slow and self.fast) and not self.core_bound

    @property
    def words(self) -> str:
        """What the requests wait for, as far as that can be told; empty where nothing was slow."""
        if not self.slow:
            return ""
        if self.core_bound:
            return f"the core of the {self.core_bound} process, which was full"
        if not self.fast:
            return (
                "something that every request here needs: the event loop, held by blocking code in an "
                "`async def`, unless a pool of threads or connections stands before each of them"
            )
        spared = listed(self.fast)
        if self.slow == (self.submits,):
            return f"something that {self.submits} alone waits for before it replies, not the event loop"
        wait, need = ("wait" if len(self.slow) > 1 else "waits"), ("do" if len(self.fast) > 1 else "does")
        return (
            f"something that {listed(self.slow)} {wait} for and {spared} {need} not need, such as a pool of "
            "connections or threads; the event loop is free"
        )


def culprit_of(by: Sequence[str], core_bound: str, subject: Subject) -> Culprit:
    """Return what the streams that a blocking point names say of a service, and the core that was full."""
    words = {each.latency: subject.asked[each.column] for each in _LISTED if each.column in subject.asked}
    slow = [words.get(name, name) for name in by]
    fast = [told for name, told in words.items() if name not in by] if slow else []
    submits = subject.asked.get(Stream.TASKS.column, "")
    return Culprit(tuple(slow), tuple(fast), submits, core_bound)
