"""What the searches of one row came to, question by question."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.coverage.search import Answer, Interval
from benchmarks.coverage.truth import Rate, Truth


@dataclass(frozen=True)
class Tally:
    """The answers to one question, against the long run."""

    truth: Rate
    answers: tuple[Interval, ...]

    @property
    def unmarked(self) -> "Tally":
        """Those without a mark."""
        return Tally(self.truth, tuple(each for each in self.answers if not each.marked))

    @property
    def covered(self) -> float:
        """Share of the intervals that hold the truth, give or take its own error; NaN of none."""
        return self._share(lambda each: not self._above(each) and not self._below(each))

    @property
    def too_high(self) -> float:
        """Share of those that say it held where it does not."""
        return self._share(self._above)

    @property
    def too_low(self) -> float:
        """Share of those that say it failed where it does not."""
        return self._share(self._below)

    @property
    def marked(self) -> float:
        """Share of those with a mark."""
        return self._share(lambda each: each.marked)

    @property
    def width(self) -> float:
        """Median of the failed rate over the held one: an interval that holds the truth may say nothing."""
        return statistics.median(each.failed / each.held if each.held else math.inf for each in self.answers)

    @property
    def open_above(self) -> float:
        """Share of the answers `> X`."""
        return self._share(lambda each: math.isinf(each.failed))

    def _above(self, answer: Interval) -> bool:
        return answer.held > self.truth.high

    def _below(self, answer: Interval) -> bool:
        return answer.failed < self.truth.low

    def _share(self, holds: Callable[[Interval], bool]) -> float:
        return sum(map(holds, self.answers)) / len(self.answers) if self.answers else math.nan


@dataclass(frozen=True)
class Outcome:
    """All searches of one row by one profile."""

    row: str
    profile: str
    fixed: bool
    steady: bool
    trials: float
    seconds: float
    saturation: Tally
    blocking: Tally


def tallies(answers: Sequence[Answer], truth: Truth) -> tuple[Tally, Tally]:
    """Return those of saturation and of blocking."""
    return (
        Tally(truth.saturation, tuple(each.saturation for each in answers)),
        Tally(truth.blocking, tuple(each.blocking for each in answers)),
    )
