"""How far another process's clock is from ours, known from messages that went there and back.

A reading was taken between the moment it was asked for and the moment it came. The middle is the best guess,
and half of the way the most by which that can be wrong, however lopsided the way: so the quickest of many
exchanges says most. Between two comparisons a clock drifts evenly; what no quartz drifts is doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from results.terms import NEVER

DRIFT_PPM = 200.0
"""beyond this a clock has not drifted: it was disciplined, or it jumped"""
PPM = 1e-6


@dataclass(frozen=True)
class Exchange:
    """One question for the time: asked and answered by our clock, read by theirs."""

    asked_ns: int
    read_ns: int
    came_ns: int

    @property
    def round_trip_ns(self) -> int:
        """How long the answer took."""
        return self.came_ns - self.asked_ns


@dataclass(frozen=True)
class Offset:
    """Their clock less ours at one moment of ours, and by how much that may be wrong."""

    at_ns: int
    offset_ns: int = 0
    uncertainty_ns: int = 0


def offset(exchanges: Sequence[Exchange], *, same: bool = False) -> Offset:
    """Return what the quickest exchange says; exactly 0 where it is the `same` clock and may be."""
    best = min(exchanges, key=lambda exchange: exchange.round_trip_ns)
    at_ns = (best.asked_ns + best.came_ns) // 2
    found = Offset(at_ns, best.read_ns - at_ns, (best.round_trip_ns + 1) // 2)
    if same and abs(found.offset_ns) <= found.uncertainty_ns:
        return Offset(at_ns)
    return found


@dataclass(frozen=True)
class Translation:
    """From their moments to ours, between a comparison before a run and one after it."""

    before: Offset
    after: Offset
    known: bool = True
    """False where there was no comparison after the run"""

    @classmethod
    def until(cls, before: Offset, now_ns: int) -> "Translation":
        """Return the translation of whoever is not there to be asked again: a clock of any drift."""
        one_clock = not before.uncertainty_ns
        return cls(before, Offset(now_ns, before.offset_ns, before.uncertainty_ns), known=one_clock)

    @property
    def drift_ppm(self) -> float:
        """How much faster their clock ran than ours, in millionths."""
        return self._change_ns / self._elapsed_ns / PPM

    @property
    def uncertainty_ns(self) -> int:
        """By how much a translated moment may be wrong."""
        possible_ns = round(DRIFT_PPM * PPM * self._elapsed_ns)
        compared_ns = max(self.before.uncertainty_ns, self.after.uncertainty_ns)
        if not self.known:
            return compared_ns + possible_ns
        return compared_ns + max(abs(self._change_ns) - 2 * compared_ns - possible_ns, 0)

    @property
    def same(self) -> bool:
        """Whether it is our own clock."""
        return not (self.before.offset_ns or self.after.offset_ns)

    def ours(self, theirs_ns: np.ndarray) -> np.ndarray:
        """Return their moments by our clock; `NEVER` stays."""
        since_ns = theirs_ns - (self.before.at_ns + self.before.offset_ns)
        drifted_ns = np.rint(since_ns * (self._change_ns / self._elapsed_ns)).astype(np.int64)
        return np.where(theirs_ns == NEVER, NEVER, theirs_ns - self.before.offset_ns - drifted_ns)

    def moment(self, theirs_ns: int) -> int:
        """Return one moment of theirs by our clock."""
        return int(self.ours(np.array([theirs_ns], np.int64))[0])

    @property
    def _change_ns(self) -> int:
        return self.after.offset_ns - self.before.offset_ns

    @property
    def _elapsed_ns(self) -> int:
        return max(self.after.at_ns - self.before.at_ns, 1)
