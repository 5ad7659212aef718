"""Stretches in which the whole event loop stands still."""

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stalls:
    """How long they last, and one in how many seconds; when the first one comes is chance."""

    length_s: float
    every_s: float

    def starts(self, random: np.random.Generator, seconds: float) -> Floats:
        """Return when they begin; one may have begun before the start."""
        return np.arange(random.uniform(-self.every_s, 0), seconds, self.every_s)


@dataclass(frozen=True)
class Loop:
    """An event loop that stands still for `length_s` from each of the ascending `starts_s`."""

    starts_s: Floats
    length_s: float

    def awake(self, at_s: Floats) -> Floats:
        """Return when the loop gets to what happens at these moments."""
        padded = np.concatenate([[-np.inf], self.starts_s])
        over = padded[np.searchsorted(self.starts_s, at_s, side="right")] + self.length_s
        return np.maximum(at_s, over)

    def awake_at(self, at_s: float) -> float:
        """Return the same of one moment."""
        before = bisect_right(self.starts_s, at_s)
        return max(at_s, float(self.starts_s[before - 1]) + self.length_s) if before else at_s
