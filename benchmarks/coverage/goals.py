"""What the table is to reach."""

import math
from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.coverage.rows import FREQUENT_STALLS, PROFILES, RARE_STALLS
from benchmarks.coverage.tally import Outcome, Tally

COVERED_FIXED: Final = 0.90
COVERED_RANDOM: Final = 0.85
TOO_HIGH: Final = 0.02
UNMARKED: Final = {"standard": 0.9, "quick": 1 / 3}
"""share of the answers about steady targets that bears no mark"""
RARE_SEEN: Final = 0.95


def missed(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield what is not reached, in words."""
    for each in outcomes:
        for question, tally in (("saturation", each.saturation), ("blocking", each.blocking)):
            where = f"{each.profile}, {each.row}, {question}"
            yield from (f"{where}: {words}" for words in _wrong(tally.unmarked, fixed=each.fixed))
        yield from _stalls(each)
        yield from _wide(each)
    yield from _marked(outcomes)


def _wrong(unmarked: Tally, *, fixed: bool) -> Iterator[str]:
    wanted = COVERED_FIXED if fixed else COVERED_RANDOM
    if unmarked.covered < wanted:
        yield f"{unmarked.covered:.0%} of the unmarked hold the truth, not {wanted:.0%}"
    if unmarked.too_high > TOO_HIGH:
        yield f"{unmarked.too_high:.0%} of the unmarked are too high, not {TOO_HIGH:.0%}"


def _stalls(each: Outcome) -> Iterator[str]:
    unseen = each.blocking.unmarked.open_above
    if each.row == FREQUENT_STALLS and unseen > 0:
        yield f"{each.profile}, {each.row}: {unseen:.0%} of the unmarked answers are `> X`"
    seen = sum(answer.marked or answer.held == 0 for answer in each.blocking.answers)
    if (each.profile, each.row) == ("standard", RARE_STALLS) and seen < RARE_SEEN * len(
        each.blocking.answers
    ):
        yield f"{each.profile}, {each.row}: marked or found in {seen}, not in {RARE_SEEN:.0%}"


def _wide(each: Outcome) -> Iterator[str]:
    """Of saturation with fixed durations half the intervals are as narrow as asked for, squared."""
    wanted, width = PROFILES[each.profile].precision ** 2, each.saturation.width
    asked = each.fixed and math.isfinite(each.saturation.truth.per_s)
    if asked and width > wanted:
        yield f"{each.profile}, {each.row}, saturation: half are {width:.2f} wide, not {wanted:.2f}"


def _marked(outcomes: Sequence[Outcome]) -> Iterator[str]:
    for profile, wanted in UNMARKED.items():
        own = [each for each in outcomes if each.profile == profile and each.steady]
        answers = [a for each in own for tally in (each.saturation, each.blocking) for a in tally.answers]
        unmarked = sum(not answer.marked for answer in answers)
        if unmarked < wanted * len(answers):
            share = unmarked / len(answers)
            yield f"{profile}: {share:.0%} of the answers about steady targets are unmarked, not {wanted:.0%}"
