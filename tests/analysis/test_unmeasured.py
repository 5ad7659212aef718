from pathlib import Path

import msgspec
import pytest

from analysis.charts.catalogue import catalogue
from analysis.report.pages import render_page
from analysis.trials.derive import Derived, derive
from analysis.trials.point_table import answers
from analysis.trials.points import without_trials
from analysis.trials.questions import BLOCKING, SATURATION
from analysis.trials.unmeasured import NO_TRIAL
from results.errors import BlockpointError
from results.failures import keep_failure
from results.schema import Manifest, Plan, Point, Subject
from results.store import open_campaign
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, amend, build

WHY = "the web process of arq/tuned exited at once with code 1"


def point(subject: str, **changes: float) -> Point:
    given = {"duration_ms": 50.0, "lowest_per_s": 1.0, "highest_per_s": 600.0} | changes
    return Point(subject=subject, kind="sleep", seconds=3, max_seconds=6, bystander_per_s=20, **given)


def plan(subject: str, **changes: object) -> Plan:
    given = Plan(
        trial_id="0009-failed",
        subject=subject,
        kind="sleep",
        duration_ms=50,
        scenario="steady",
        rate_per_s=10,
        seconds=3,
        seed=1,
    )
    return msgspec.structs.replace(given, **changes)


@pytest.fixture
def searched(runs: Path) -> Derived:
    """A search of three points: one measured, one that failed, one that never had its turn."""
    campaign, _ = build(
        runs, [Cell("celery", [(rate, 3, 50)], service=POOL, workers=1) for rate in (20, 120)]
    )
    absent = Subject(strategy="arq", variant="tuned", summary="", services={"sleep": POOL}, workers=1)
    amend(
        campaign,
        plans=[],
        subjects=[*campaign.manifest.subjects, absent],
        points=[
            point("celery/default", saturation_per_s=80.0),
            point("arq/tuned", saturation_per_s=80.0),
            point("celery/default", duration_ms=500.0),
        ],
    )
    keep_failure(runs, plan("arq/tuned"), BlockpointError(f"{WHY}; it said last:\nno module"))
    return derive(runs)


def test_what_could_not_be_measured_keeps_a_row_that_says_why(searched: Derived) -> None:
    found = {(a.strategy, a.tasks): a for a in answers(searched.points)}
    assert len(found) == 3
    failed, turnless = found["arq", "sleep 50 ms"], found["celery", "sleep 500 ms"]
    for answer, why in ((failed, WHY), (turnless, NO_TRIAL)):
        assert answer.found[BLOCKING].interval == answer.found[SATURATION].interval == "not measured"
        assert answer.found[BLOCKING].notes == answer.found[SATURATION].notes == why
        assert (answer.trials, answer.invalid, answer.load_s) == (0, 0, 0)
    assert (failed.found[SATURATION].predicted, failed.ceiling) == ("80/s", "80/s")
    assert found["celery", "sleep 50 ms"].found[SATURATION].interval.endswith("20 to 120/s, unfinished")


def test_the_report_says_so_too(searched: Derived) -> None:
    page = render_page(searched, [], [])
    assert page.count(">not measured<") == 4
    assert f"Not measured: 0009-failed: {WHY}" in page
    assert page.count(f"<small>{WHY}</small>") == 2
    assert page.count(f'title="{WHY}') == 2
    assert [chart.name for chart in catalogue(searched) if chart.draw and chart.draw()]


def test_a_search_that_a_failure_ended_names_it(searched: Derived) -> None:
    keep_failure(searched.folder, plan("celery/default"), BlockpointError("the broker died"))
    told = answers(derive(searched.folder).points)
    (found,) = (a for a in told if (a.strategy, a.tasks) == ("celery", "sleep 50 ms"))
    assert found.found[SATURATION].notes == (
        "wider than asked: a trial could not be measured: the broker died"
    )


def test_a_grid_s_missing_loads_have_rows_and_its_bursts_have_none(runs: Path) -> None:
    campaign, _ = build(runs, [Cell("celery", [(20, 3, 50)], service=POOL)])
    extra = [
        plan("celery/default", duration_ms=10.0),
        plan("celery/default", duration_ms=7.0, scenario="burst"),
    ]
    amend(campaign, plans=[*campaign.manifest.plans, *extra])
    assert [a.tasks for a in answers(derive(runs).points)] == ["sleep 10 ms", "sleep 50 ms"]


def test_where_nothing_was_measured_every_point_has_a_row(searched: Derived) -> None:
    manifest: Manifest = open_campaign(searched.folder).manifest
    found = answers(without_trials(manifest, []))
    assert [a.found[BLOCKING].interval for a in found] == ["not measured"] * 3
