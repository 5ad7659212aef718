from pathlib import Path

import pandas as pd
import pytest

from analysis.report import build as report
from analysis.report.build import make_report
from analysis.trials.derive import derive, rejudged_folder
from analysis.trials.points import find_points
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.rejudge import LIMITS_MS, limits_of, rejudge, under
from results.errors import BlockpointError
from results.schema import Service
from results.store import Campaign
from tests.analysis.synthetic import Cell, Truth, build

POOL = Service(law="pool", slots=4)
MOVES = ["limit_ms", "blocked", "blocked_certain", "blocked_by"]
SPELLS = ("_spells", "_own", "_nearly")


@pytest.fixture
def waiting(runs: Path) -> Path:
    """A pool of 80/s whose `/ping-sync` waits with the tasks: 160 ms (p99) at 75/s."""
    subject = {"service": POOL, "suffers": ("ping_sync",), "bystander_per_s": 80.0}
    cells = [Cell("background_tasks", [(rate, 12, 50)], **subject) for rate in (20, 75, 120)]
    build(runs, cells)
    return runs


@pytest.mark.parametrize("limit_ms", [25.0, 50.0, 250.0])
def test_judging_again_says_what_deriving_with_that_limit_says(waiting: Path, limit_ms: float) -> None:
    own, other = derive(waiting), derive(waiting, limit_ms=limit_ms)
    pd.testing.assert_frame_equal(rejudge(own.summary, own.spells, limit_ms), other.summary)


def test_judging_again_by_the_same_limit_changes_nothing(small: tuple[Campaign, dict[str, Truth]]) -> None:
    derived = derive(small[0].folder)
    again = rejudge(derived.summary, derived.spells, derived.manifest.limit_ms)
    pd.testing.assert_frame_equal(again, derived.summary)
    pd.testing.assert_frame_equal(find_points(again, derived.manifest), derived.points)


def test_judging_again_moves_the_blocking_point_and_no_other(waiting: Path) -> None:
    derived = derive(waiting)
    mild = rejudge(derived.summary, derived.spells, 250.0)
    changed = [name for name in mild if not mild[name].equals(derived.summary[name])]
    assert set(changed) <= {*MOVES, *(name for name in mild if name.endswith(SPELLS))}
    assert {"limit_ms", "blocked"} <= set(changed)
    before, after = (
        find_points(rows, manifest).set_index("question")
        for rows, manifest in ((derived.summary, derived.manifest), (mild, under(derived.manifest, 250.0)))
    )
    edges = ["held_per_s", "failed_per_s"]
    assert before.loc[BLOCKING, edges].tolist() == [20, 75]
    assert after.loc[BLOCKING, edges].tolist() == [75, 120]
    unmoved = before.columns.drop("limit_ms")
    pd.testing.assert_series_equal(after.loc[SATURATION, unmoved], before.loc[SATURATION, unmoved])


def test_the_own_limit_is_among_those_of_the_page(small: tuple[Campaign, dict[str, Truth]]) -> None:
    assert limits_of(small[0].manifest) == list(LIMITS_MS)
    assert limits_of(under(small[0].manifest, 75.0)) == [25, 50, 75, 100, 250, 500]
    assert under(small[0].manifest, None) is small[0].manifest


def test_a_report_of_another_limit_leaves_the_campaigns_own_alone(
    waiting: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "draw_all", lambda *_: [])
    own = make_report(waiting)
    kept = {path: path.read_bytes() for path in waiting.rglob("*") if path.is_file()}
    page = make_report(waiting, limit_ms=25.0)
    assert page == waiting / "at-25ms" / "report" / "index.html"
    assert all(path.read_bytes() == content for path, content in kept.items())
    assert "Judged again at <strong>25 ms</strong>" in page.read_text()
    assert "Judged again" not in own.read_text()
    points = pd.read_csv(waiting / "at-25ms" / "derived" / "points.csv")
    assert set(points["limit_ms"]) == {25.0}
    assert make_report(waiting, limit_ms=100.0) == own


def test_drills_are_not_judged_again() -> None:
    drills = Path(__file__).parents[2] / "results" / "published" / "drills-kill-child"
    with pytest.raises(BlockpointError, match="no blocking point"):
        make_report(drills, limit_ms=50.0)
    assert not rejudged_folder(drills, 50.0).exists()
