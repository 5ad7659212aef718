from pathlib import Path

import pytest

from analysis.brackets import Bracket, Verdict, bracket
from analysis.derive import derive, read_derived
from analysis.words import Reading, interval, read
from results.schema import Service
from results.store import Campaign
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, Truth, build

CASES = [
    ("nothing measured", [], [], Bracket(None, None), "not measured"),
    ("held everywhere", [10, 20], [0, 0], Bracket(20, None), "> 20/s"),
    ("failed from the start", [10, 20], [1, 1], Bracket(None, 10), "≤ 10/s"),
    ("turned once", [30, 10, 20], [1, 0, 0], Bracket(20, 30), "20 to 30/s"),
    (
        "repeats disagree",
        [10, 20, 20],
        [0, 0, 1],
        Bracket(10, None, disputed=True),
        "> 10/s (repeats disagree)",
    ),
    (
        "failed for sure above a dispute",
        [10, 20, 20, 30, 40],
        [0, 0, 1, 0, 1],
        Bracket(10, 40, disputed=True),
        "10 to 40/s (repeats disagree)",
    ),
    (
        "held again above",
        [10, 20, 30],
        [0, 1, 0],
        Bracket(10, None, disputed=True),
        "> 10/s (repeats disagree)",
    ),
]


@pytest.mark.parametrize(("why", "rates", "failed", "found", "printed"), CASES)
def test_brackets(why: str, rates: list[float], failed: list[int], found: Bracket, printed: str) -> None:
    made = bracket(Verdict(rate, bool(answer)) for rate, answer in zip(rates, failed, strict=True))
    assert (made, interval(made)) == (found, printed), why


def reading(small: tuple[Campaign, dict[str, Truth]], strategy: str) -> Reading:
    (found,) = (r for r in read(read_derived(small[0].folder).summary) if r.strategy == strategy)
    return found


def test_a_full_pool_is_named_with_what_it_starved(small: tuple[Campaign, dict[str, Truth]]) -> None:
    found = reading(small, "background_tasks")
    assert found.by == "/ping-sync"
    assert found.blocks == Bracket(60, 120)
    assert found.behind == Bracket(60, 120)  # the invalid trial at 240/s has no say
    text = " ".join(found.sentences)
    assert "/ping-sync crossed 100 ms between 60 and 120 tasks/s" in text
    assert "theory puts the ceiling at 80/s" in text
    assert "1 trial was invalid and left out (slip p99 2 ms)" in text


def test_a_broker_falls_behind_while_its_api_stays_fast(small: tuple[Campaign, dict[str, Truth]]) -> None:
    found = reading(small, "celery")
    assert found.by == ""
    assert interval(found.blocks) == "> 120/s"
    assert found.behind == Bracket(60, 120)
    assert "The API stayed fast at every rate measured, up to 120/s" in found.sentences[0]


def test_only_invalid_trials_say_nothing(runs: Path) -> None:
    build(runs, [Cell("celery", [(20, 3, 50)], service=POOL, reasons=["a noisy neighbour"])])
    (found,) = read(derive(runs).summary)
    assert found.sentences == ["Nothing can be said: every trial was invalid (a noisy neighbour)."]
    assert interval(found.blocks) == interval(found.behind) == "not measured"


def test_closed_loops_and_bursts_make_no_verdict(runs: Path) -> None:
    cells = [Cell("celery", [(20, 3, 50)], scenario="closed_loop", closed=True)]
    build(runs, [*cells, Cell("celery", [(20, 3, 50)], scenario="burst")])
    assert read(derive(runs).summary) == []


def test_a_ramp_stands_in_where_nothing_else_was_measured(runs: Path) -> None:
    steps = [(20.0, 3.0, 50.0), (200.0, 3.0, 50.0)]
    loop = Service(law="loop", slots=1)
    build(runs, [Cell("blocking", steps, service=loop, scenario="ramp", suffers=("accept", "ping"))])
    (found,) = read(derive(runs).summary)
    assert found.blocks.failed is not None
