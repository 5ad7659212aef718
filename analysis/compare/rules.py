"""When a comparison fails: an expression of one metric, one comparison and one number."""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from analysis.compare.comparison import SideBySide
from analysis.compare.ratios import METRICS, Ratio
from results.errors import BlockpointError, unknown

_RULE: Final = re.compile(r"\s*([a-z/][\w/ -]*?)\s*(<=|>=|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*", re.IGNORECASE)
_MOST: Final = 1000.0
_SIGNS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Judgement(IntEnum):
    """What is to be concluded."""

    NO_DIFFERENCE = 0
    """none was found that makes anything worse"""
    REGRESSION = 1
    NOT_MEASURABLE = 2


@dataclass(frozen=True)
class Rule:
    """`blocking < 0.9`: fails where that is certain, with all of the interval."""

    text: str
    metric: str
    sign: str
    factor: float

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """Return the rule; raises BlockpointError where it is none."""
        found = _RULE.fullmatch(text)
        if not found:
            raise BlockpointError(
                f"--fail-if {text!r} is no rule; write a metric, <, <=, > or >=, and a ratio: "
                "'blocking < 0.9'"
            )
        name = found[1].strip().lower().replace("_", " ")
        known = {each.replace("-", " "): each for each in METRICS}
        if name.replace("-", " ") not in known:
            raise unknown("metric", name, METRICS)
        factor = float(found[3])
        if not 0 < factor <= _MOST:
            raise BlockpointError(f"--fail-if {text!r}: a ratio lies between 0 and {_MOST:g}")
        return cls(text.strip(), known[name.replace("-", " ")], found[2], factor)

    def broken(self, ratio: Ratio) -> bool:
        """Whether a ratio of its metric fails, all of its interval."""
        return all(_SIGNS[self.sign](end, self.factor) for end in (ratio.low, ratio.high))


def verdict(found: SideBySide, rules: list[Rule]) -> Judgement:
    """Return what a comparison comes to: by the rules, without any by whatever got worse."""
    if not rules:
        ratios = [ratio for _, ratio in found.ratios]
        if any(ratio.worse for ratio in ratios):
            return Judgement.REGRESSION
        return Judgement.NO_DIFFERENCE if ratios else Judgement.NOT_MEASURABLE
    told = [[ratio for _, ratio in found.ratios if ratio.metric == rule.metric] for rule in rules]
    if any(rule.broken(ratio) for rule, own in zip(rules, told, strict=True) for ratio in own):
        return Judgement.REGRESSION
    return Judgement.NO_DIFFERENCE if all(told) else Judgement.NOT_MEASURABLE
