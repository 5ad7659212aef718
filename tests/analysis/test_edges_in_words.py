import math
from pathlib import Path
from typing import Any

import pytest

from analysis.report.edges_in_words import edges_in_words
from analysis.report.pages import render_page
from analysis.report.words import read
from analysis.trials.derive import derive
from analysis.trials.edge_slowness import UNASKED
from analysis.trials.point_table import answers, moves
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.reach_table import reach_lines
from results.store import open_campaign
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import SEARCHED, Cell, amend, build

NOTHING: dict[str, Any] = {
    "held_per_s": math.nan,
    "failed_per_s": math.nan,
    "disputed": False,
    "limit_ms": 100.0,
    "ending": "closed",
    "wider_because": "",
    "core_bound": "",
    **UNASKED,
}


def told(blocking: dict[str, Any], **saturation: Any) -> list[str]:
    return edges_in_words({BLOCKING: NOTHING | blocking, SATURATION: NOTHING | saturation})


def test_a_closed_interval_without_shares_needs_no_words() -> None:
    assert told({"held_per_s": 80, "failed_per_s": 90}) == []


def test_the_shares_that_decided_and_what_cannot_be_seen() -> None:
    held = {"held_slow_share": 0.004, "held_slow_high": 0.013, "held_unseen_s": 20.0}
    failed = {"failed_slow_share": 0.021, "failed_slow_low": 0.012}
    edges = {"held_per_s": 80, "failed_per_s": 90}
    shares, unseen = told(edges | held | failed)
    assert shares == (
        "Of the slowest stream 0.4 % of the requests took longer than 100 ms at 80/s "
        "(at most 1.3 % in the long run), and 2.1 % at 90/s (at least 1.2 % in the long run)."
    )
    assert unseen == "A stall rarer than about every 20 s would not have been seen."
    (alone,) = told({"failed_per_s": 90} | failed)
    assert alone == (
        "Of the slowest stream 2.1 % of the requests took longer than 100 ms at 90/s "
        "(at least 1.2 % in the long run)."
    )


@pytest.mark.parametrize(
    ("point", "sentence"),
    [
        (
            {"failed_per_s": 2, "ending": "at every rate"},
            "The API blocks at every rate, since a task takes longer than 100 ms.",
        ),
        (
            {"held_per_s": 600, "ending": "the highest rate tried"},
            "600/s was the highest rate tried: above it nothing is known.",
        ),
        (
            {"held_per_s": 40, "ending": "not found above", "wider_because": "time ran out"},
            "Where the API blocks was not found above 40/s: the search ended (time ran out).",
        ),
        (
            {"held_per_s": 20, "failed_per_s": 1000, "ending": "unfinished", "wider_because": "time ran out"},
            "Where the API blocks is unfinished, 20/s to 1,000/s: time ran out.",
        ),
    ],
)
def test_what_an_open_end_means(point: dict[str, Any], sentence: str) -> None:
    assert told(point) == [sentence]


def test_what_both_points_have_in_common_is_said_once() -> None:
    top = {"held_per_s": 600, "ending": "the highest rate tried"}
    assert told(top, **top) == ["600/s was the highest rate tried: above it nothing is known."]


@pytest.fixture
def pinned(runs: Path) -> Path:
    """A search at three rates; web, worker and broker use 0.93 cores."""
    campaign, _ = build(
        runs, [Cell("celery", [(rate, 3, 50)], service=POOL, workers=1) for rate in (20, 60, 120)]
    )
    amend(campaign, points=[SEARCHED])
    return runs


@pytest.mark.parametrize(("cores", "mark"), [([0], "*"), ([0, 1], "")])
def test_a_full_core_is_marked_and_explained_wherever_the_point_is_told(
    pinned: Path, cores: list[int], mark: str
) -> None:
    shared = dict.fromkeys(("web", "worker", "broker"), cores)
    amend(open_campaign(pinned), pinning={"one-box": shared | {"generator": [3]}})
    derived = derive(pinned)
    (answer,) = answers(derived.points)
    assert answer.found[SATURATION].interval == f"60 to 120/s, unfinished{mark}"
    line = "* moves with the machine: the worker's core was full at an edge"
    assert moves([answer]) == (line if mark else "")
    shown = " ".join(reach_lines(derived.points))
    assert f"60 to 120{mark}?" in shown
    assert (line in shown) == bool(mark)
    page = render_page(derived, [], [])
    assert ("* moves with the machine" in page) == bool(mark)
    sentences = " ".join(read(derived.summary, derived.points)[0].sentences)
    assert ("moves with the machine: the worker's core was full there" in sentences) == bool(mark)


def test_the_share_stands_in_the_table_of_the_page_and_not_in_that_of_the_terminal(pinned: Path) -> None:
    derived = derive(pinned)
    slow = answers(derived.points)[0].found[BLOCKING].slow
    assert slow.startswith("0 % slower than 100 ms, at most ")
    assert slow in render_page(derived, [], [])
    assert slow not in " ".join(reach_lines(derived.points))
    shares = derived.points.set_index("question")["held_slow_share"]
    assert (shares[BLOCKING], math.isnan(shares[SATURATION])) == (0, True)
