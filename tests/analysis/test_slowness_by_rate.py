import pytest

from analysis.trials.slowness import SLOW_SHARE, Spells, judge
from analysis.trials.slowness_by_rate import Seen, certain_edges, first_crossing, likely_edges

PER_S = 100


def seen(rate: float, span_s: float, spells: int = 0, *, other: int = 0) -> Seen:
    """Return what two streams showed, with so many spells of 0.3 s each."""
    return Seen(rate, {"ping": evidence(span_s, other), "ping_sync": evidence(span_s, spells)})


def evidence(span_s: float, spells: int) -> Spells:
    sizes = (30,) * spells
    return Spells(int(PER_S * span_s), span_s, spells=sizes, own=sizes, nearly=sizes, assumed=0.15 * PER_S)


@pytest.mark.parametrize(
    ("why", "spans", "held", "failed"),
    [
        ("nothing was seen", [], None, None),
        ("one span long enough, one slow enough", [seen(80, 50), seen(120, 4, 4)], 80, 120),
        ("too short to be certain that it holds", [seen(80, 20), seen(120, 4, 4)], None, 120),
        ("two short ones: the higher stands in for the lower", [seen(80, 25), seen(90, 25)], 80, None),
        ("what failed below counts above", [seen(100, 4, 1), seen(110, 4, 1), seen(120, 4, 1)], None, 110),
        ("one stream is enough to fail", [seen(120, 4, other=4)], None, 120),
        ("every stream has to hold", [seen(80, 50, other=8)], None, 80),
    ],
)
def test_evidence_travels_with_the_rate(
    why: str, spans: list[Seen], held: float | None, failed: float | None
) -> None:
    found = certain_edges(spans)
    assert (found.held, found.failed, found.disputed) == (held, failed, False), why


def test_what_holds_above_a_failure_is_disputed() -> None:
    found = certain_edges([seen(80, 50), seen(100, 4, 4), seen(120, 60), seen(140, 4, 4)])
    assert (found.held, found.failed, found.disputed) == (80, 140, True)


def test_what_is_likelier_needs_no_length() -> None:
    found = likely_edges([seen(80, 4), seen(100, 4, 1)])
    assert (found.held, found.failed, found.disputed) == (80, 100, False)


@pytest.mark.parametrize(("span_s", "held"), [(4, None), (25, 100)])
def test_a_curve_says_that_a_rate_holds_only_with_some_time_at_that_rate(
    span_s: float, held: float | None
) -> None:
    own = seen(100, span_s)
    spans = [own, seen(112, 30, 1), seen(120, 16, 6), seen(130, 16, 45)]
    assert first_crossing(spans).low > 100
    assert judge(own.streams["ping_sync"]).high > SLOW_SHARE
    assert certain_edges(spans).held == held
