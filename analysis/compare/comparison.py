"""Two sides compared: every point that both have, and every load that both met."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.compare.conditions import Unlike, flagged, flagged_of, refused
from analysis.compare.ratios import FEWEST_PAIRS, Pair, Ratio, of_brackets, of_pairs
from analysis.compare.sides import Condition, Run, Side
from analysis.format import milliseconds, number
from analysis.trials.points import CONDITION, by_question, edges
from analysis.trials.questions import QUESTIONS
from results.errors import BlockpointError


@dataclass(frozen=True)
class Compared:
    """Ratios of one subject under one condition: of its points, or of its runs at a rate."""

    subjects: tuple[str, str]
    condition: Condition
    rate_per_s: float | None
    """None for its points, and for runs of several rates"""
    pairs: int
    """of runs; 0 for points"""
    ratios: list[Ratio]

    @property
    def words(self) -> str:
        """What was compared."""
        kind, duration_ms, topology = self.condition
        first, second = self.subjects
        name = first if first == second else f"{first} and {second}"
        return f"{name}, {kind} {milliseconds(duration_ms)}, {topology}{self.at}"

    @property
    def at(self) -> str:
        """At which load."""
        if not self.pairs:
            return ""
        rate = "rates at which both kept up" if self.rate_per_s is None else f"{number(self.rate_per_s)}/s"
        return f", {rate} ({self.pairs} pairs)"


@dataclass(frozen=True)
class SideBySide:
    """All that was found."""

    first: str
    second: str
    flagged: list[Unlike]
    remarks: list[str]
    compared: list[Compared]

    @property
    def ratios(self) -> list[tuple[Compared, Ratio]]:
        """Every ratio of which something is known, with what it is of."""
        return [(each, ratio) for each in self.compared for ratio in each.ratios if ratio.known]


def side_by_side(first: Side, second: Side) -> SideBySide:
    """Compare two sides; raises BlockpointError where their figures answer different questions."""
    if apart := refused(first.manifest, second.manifest):
        told = "; ".join(map(str, apart))
        raise BlockpointError(f"{first.name} and {second.name} cannot be compared: {told}")
    compared, remarks, unlike = [], [], flagged(first.manifest, second.manifest)
    for pair in _subjects(first, second):
        unlike += flagged_of(first.manifest.subject(pair[0]), second.manifest.subject(pair[1]))
        compared += [*_points(pair, first, second), *_loads(pair, first, second)]
    if not compared:
        raise BlockpointError(
            f"{first.name} and {second.name} have no subject, kind, duration and topology in common; "
            "name one of each: CAMPAIGN:STRATEGY/VARIANT"
        )
    if first.manifest.seed != second.manifest.seed:
        remarks.append(
            "different seeds: runs are paired by rate alone, and the arrivals' luck is in the ratios"
        )
    return SideBySide(first.name, second.name, unlike, remarks, compared)


def _subjects(first: Side, second: Side) -> list[tuple[str, str]]:
    """Return who is compared with whom: the same names, or the two that were named."""
    if first.subject and second.subject:
        return [(first.subject, second.subject)]
    return [(name, name) for name in first.subjects if name in second.subjects]


def _points(pair: tuple[str, str], first: Side, second: Side) -> Iterator[Compared]:
    own, other = (_answers(side, name) for side, name in zip((first, second), pair, strict=True))
    for condition in own:
        if condition in other:
            ratios = [
                of_brackets(name, edges(a), edges(b), shaky=bool(a["shaky"] or b["shaky"]))
                for name in QUESTIONS
                for a, b in [(own[condition][name], other[condition][name])]
            ]
            yield Compared(pair, condition, None, 0, ratios)


def _answers(side: Side, subject: str) -> dict[Condition, dict[str, dict[str, Any]]]:
    """Return the answers of a subject by condition, then by question."""
    points = side.points
    rows = points[(points["strategy"] + "/" + points["variant"] == subject) & (points["trials"] > 0)]
    return {
        (str(kind), float(str(duration_ms)), str(topology)): by_question(own)
        for (kind, duration_ms, topology), own in rows.groupby(CONDITION, sort=False)
    }


def _loads(pair: tuple[str, str], first: Side, second: Side) -> Iterator[Compared]:
    """Yield the runs that met the same load: rate by rate, else those at which both kept up together."""
    own, other = (_by_load(side, name) for side, name in zip((first, second), pair, strict=True))
    single: dict[Condition, list[Pair]] = defaultdict(list)
    for condition, rate in own:
        pairs = list(_paired(own[condition, rate], other.get((condition, rate), [])))
        if len(pairs) >= FEWEST_PAIRS:
            yield Compared(pair, condition, rate, len(pairs), list(of_pairs(_figures(pairs))))
        else:
            single[condition] += _figures([each for each in pairs if not any(run.behind for run in each)])
    for condition, figures in single.items():
        if len(figures) >= FEWEST_PAIRS:
            yield Compared(pair, condition, None, len(figures), list(of_pairs(figures)))


def _by_load(side: Side, subject: str) -> dict[tuple[Condition, float], list[Run]]:
    found: dict[tuple[Condition, float], list[Run]] = defaultdict(list)
    for run in side.runs:
        if run.subject == subject:
            found[run.condition, run.rate_per_s].append(run)
    return found


def _paired(first: Sequence[Run], second: Sequence[Run]) -> Iterator[tuple[Run, Run]]:
    """Yield runs in pairs: of the same seed where both have it, else in the order of their seeds."""
    left = sorted(second, key=lambda run: run.seed)
    for run in sorted(first, key=lambda run: run.seed):
        same = next((other for other in left if other.seed == run.seed), None)
        match = same or (left[0] if left and run.seed not in {each.seed for each in second} else None)
        if match is not None:
            left.remove(match)
            yield run, match


def _figures(pairs: Sequence[tuple[Run, Run]]) -> list[Pair]:
    return [(one.figures, other.figures) for one, other in pairs]
