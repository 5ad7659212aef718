import math
from typing import Any

import pytest

from analysis.trials.brackets import Bracket
from analysis.trials.edge_slowness import UNASKED, at_edges, shares_in_words
from results.terms import Stream

PER_S = 100
LIMIT_MS = 100.0


def row(rate: float, seconds: float, spells: int = 0, *, other: int = 0, accept: int = 1) -> dict[str, Any]:
    """Return what the summary says of three streams, two of which had so many spells of 30 slow requests."""
    slow = {Stream.TASKS: 0, Stream.PING: other, Stream.PING_SYNC: spells}
    told: dict[str, Any] = {"offered_per_s": rate, "seconds": seconds}
    for stream, count in slow.items():
        requests = int(PER_S * seconds) * (accept if stream is Stream.TASKS else 1)
        sizes = " ".join(["30"] * count)
        told |= {f"{stream.column}_{name}": sizes for name in ("spells", "own", "nearly")}
        told[f"{stream.column}_n"] = requests
    return told


def test_the_shares_at_both_edges_with_the_bound_that_decides_there() -> None:
    told = at_edges([row(80, 60, 1), row(120, 60, 8)], Bracket(80, 120), LIMIT_MS)
    assert told["held_slow_share"] == pytest.approx(30 / 6000)
    assert told["held_slow_share"] < told["held_slow_high"] < 0.05
    assert told["failed_slow_share"] == pytest.approx(240 / 6000)
    assert 0.01 < told["failed_slow_low"] < told["failed_slow_share"]
    assert told["held_unseen_s"] == pytest.approx(20, rel=0.01)


def test_evidence_above_tightens_the_held_edge_and_none_below_does() -> None:
    alone = at_edges([row(80, 25)], Bracket(80, None), LIMIT_MS)["held_slow_high"]
    above = at_edges([row(80, 25), row(90, 25)], Bracket(80, None), LIMIT_MS)["held_slow_high"]
    below = at_edges([row(70, 25), row(80, 25)], Bracket(80, None), LIMIT_MS)["held_slow_high"]
    assert above < 0.01 < alone == below


def test_a_bound_never_contradicts_what_was_seen_there() -> None:
    calmer_above = at_edges([row(80, 40, 1), row(90, 900)], Bracket(80, None), LIMIT_MS)
    assert calmer_above["held_slow_high"] == calmer_above["held_slow_share"] == 30 / 4000
    slower_below = at_edges([row(100, 60, 30), row(110, 60, 4)], Bracket(None, 110), LIMIT_MS)
    assert slower_below["failed_slow_low"] == slower_below["failed_slow_share"] == 120 / 6000


def test_a_failed_edge_is_bounded_by_what_failed_below_and_not_above() -> None:
    alone = at_edges([row(110, 4, 1)], Bracket(None, 110), LIMIT_MS)["failed_slow_low"]
    below = at_edges([row(100, 4, 1), row(110, 4, 1)], Bracket(None, 110), LIMIT_MS)["failed_slow_low"]
    above = at_edges([row(110, 4, 1), row(120, 4, 4)], Bracket(None, 110), LIMIT_MS)["failed_slow_low"]
    assert alone == above < 0.01 < below


def test_the_slowest_stream_is_told_of() -> None:
    found = Bracket(80, 120)
    quiet = at_edges([row(80, 60), row(120, 60, 8)], found, LIMIT_MS)
    noisy = at_edges([row(80, 60, other=1), row(120, 60, 8, other=2)], found, LIMIT_MS)
    assert quiet["held_slow_share"] == 0 < noisy["held_slow_share"]
    assert noisy["failed_slow_share"] == quiet["failed_slow_share"]


def test_a_missing_edge_and_a_stream_without_requests_tell_nothing() -> None:
    assert all(map(math.isnan, at_edges([], Bracket(None, None), LIMIT_MS).values()))
    held_only = at_edges([row(80, 60, accept=0)], Bracket(80, None), LIMIT_MS)
    assert {name for name, value in held_only.items() if math.isnan(value)} == {
        "failed_slow_share",
        "failed_slow_low",
    }
    assert held_only.keys() == UNASKED.keys()


@pytest.mark.parametrize(
    ("held", "failed", "words"),
    [
        ((0.004, 0.013), None, "0.4 % slower than 100 ms, at most 1.3 %"),
        (None, (0.021, 0.012), "2.1 % slower than 100 ms, at least 1.2 %"),
        (
            (0.004, 0.013),
            (0.021, 0.012),
            "0.4 % slower than 100 ms, at most 1.3 %; then 2.1 %, at least 1.2 %",
        ),
        (None, None, ""),
    ],
)
def test_shares_in_words(
    held: tuple[float, float] | None, failed: tuple[float, float] | None, words: str
) -> None:
    told = dict(UNASKED)
    if held:
        told |= dict(zip(("held_slow_share", "held_slow_high"), held, strict=True))
    if failed:
        told |= dict(zip(("failed_slow_share", "failed_slow_low"), failed, strict=True))
    assert shares_in_words(told, "100 ms") == words
