"""How long tasks last that are not all alike: a law of durations about their mean."""

from dataclasses import dataclass
from typing import Final

from results import lognormal

LONG_SHARE: Final = 0.1
"""share of the tasks that are the long ones of a mix"""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Lasting:
    """The law, in units of the mean: all equally long, lognormal, or a mix of two lengths."""

    cv: float = 0.0
    """coefficient of variation of a lognormal law; 0: none"""
    mix: float = 0.0
    """how many times as long as the others one task in ten is; 0: as long"""

    def __bool__(self) -> bool:
        return bool(self.cv or self.mix)

    @property
    def variation(self) -> float:
        """The coefficient of variation, whatever the law."""
        short, long = self.lengths(1.0)
        squares = (1 - LONG_SHARE) * short * short + LONG_SHARE * long * long
        return float((squares - 1) ** 0.5) if self.mix else self.cv

    def lengths(self, mean: float) -> tuple[float, float]:
        """Return how long the short and the long tasks of a mix of that mean last."""
        ratio = self.mix or 1.0
        short = mean / (1 - LONG_SHARE + LONG_SHARE * ratio)
        return short, short * ratio

    def not_exceeded(self, mean: float, share: float) -> float:
        """Return what that share of the tasks does not exceed."""
        if self.cv:
            return lognormal.not_exceeded(mean, self.cv, share)
        short, long = self.lengths(mean)
        return long if share > 1 - LONG_SHARE else short

    def at_least(self, value: float, mean: float) -> float:
        """Return the share of the tasks that last so long or longer."""
        if self.cv:
            return lognormal.above(value, mean, self.cv)
        short, long = self.lengths(mean * (1 + _ROUNDING))
        return (1 - LONG_SHARE) * (short >= value) + LONG_SHARE * (long >= value)

    def unfilled(self, after: float, mean: float) -> float:
        """Return the share of its servers that a stream of tasks has not yet taken so long after it began.

        It is E[max(S - t, 0)] / E[S], the share of the tasks in service in the long run whose age is above t.
        """
        if self.cv:
            return lognormal.unfilled(after, mean, self.cv)
        if after <= 0 or not mean:
            return 1.0 if mean else 0.0
        short, long = self.lengths(mean)
        return ((1 - LONG_SHARE) * max(short - after, 0) + LONG_SHARE * max(long - after, 0)) / mean


EQUALLY: Final = Lasting()
"""all tasks are equally long"""
