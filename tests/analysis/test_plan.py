"""Plans of the shipped reference, and of a campaign that was made for it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from analysis.drills.facts import shipped_facts
from analysis.plan.bounds import fast_to, keeps, work
from analysis.plan.demand import Demand
from analysis.plan.lines import waits
from analysis.plan.measures import Answered
from analysis.plan.options import Option, options
from analysis.plan.page import plan_page
from analysis.plan.reference import SHIPPED, as_json, read_measures, shipped
from analysis.plan.settings import LADDER, next_smaller
from analysis.plan.staircase import draw, stairs
from analysis.plan.words import reasons, told_plan
from results.errors import BlockpointError
from tests.analysis.synthetic import Cell, build
from tests.analysis.synthetic_drills import DrillCell, build_drills

REFERENCE = Path(__file__).parents[2] / "results" / "published" / "quick-reference"
DEMAND = Demand(
    lowest_per_s=60,
    highest_per_s=60,
    duration_ms=250,
    kind="sleep",
    slo_p99_ms=200,
    done_within_ms=1000,
    cores=1,
    peak_s=60,
)


def planned(*subjects: str, **changes: object) -> tuple[dict[str, Option], dict[str, str]]:
    """Return the options and the refusals by subject, of all without a name."""
    found = shipped()
    own = [each for each in found.subjects if not subjects or each.subject in subjects]
    demand = replace(DEMAND, **changes)  # type: ignore[arg-type]
    able, unable = options(msgspec.structs.replace(found, subjects=own), demand, shipped_facts())
    return {each.subject: each for each in able}, {each.subject: each.why for each in unable}


def test_the_shipped_measures_are_those_of_the_published_campaign() -> None:
    assert as_json(read_measures(REFERENCE)) == SHIPPED.read_bytes()


def test_a_recommended_setting_meets_the_demand_and_the_next_smaller_does_not() -> None:
    able, _ = planned()
    assert {"threadpool/tuned", "celery/tuned", "arq/tuned"} <= able.keys()
    for option in able.values():
        measure, setting = option.measure, option.setting
        expected = waits(setting.line(measure), 60, work(measure, DEMAND))
        assert keeps(measure, DEMAND, expected)
        assert option.carries_per_s >= 60 / 1.02
        below = next_smaller(measure, setting)
        if below and measure.adjustable:
            assert not keeps(measure, DEMAND, waits(below.line(measure), 60, work(measure, DEMAND)))


def test_every_subject_is_an_option_or_refused_with_a_reason() -> None:
    able, unable = planned()
    assert {each.subject for each in shipped().subjects} == able.keys() | unable.keys()
    assert unable["inline/default"] == "a request lasts as long as its task: 250 ms (p99)"
    assert all(unable.values())


def test_durable_leaves_what_no_drill_saw_lose_a_task() -> None:
    able, unable = planned(durable=True)
    assert able.keys() <= {"arq/default", "arq/tuned"}
    assert "arq/tuned" in able
    assert "dies with the web process" in unable["threadpool/tuned"]
    assert unable["celery/tuned"].startswith("kill-worker: ")


def test_computing_tasks_are_for_workers_alone_and_named_as_extrapolated() -> None:
    able, unable = planned(kind="cpu", highest_per_s=10, lowest_per_s=10, cores=8)
    assert all(option.measure.workers for option in able.values())
    assert "compute in the web process" in unable["threadpool/tuned"]
    assert all(any(line.startswith("cpu: ") for line in option.extrapolated) for option in able.values())


def test_more_cores_than_there_are_carry_nothing() -> None:
    _, unable = planned("celery/tuned", highest_per_s=3000, lowest_per_s=3000, duration_ms=20)
    assert "the only core gets full" in unable["celery/tuned"]


def test_an_interval_of_rates_is_covered_by_parts() -> None:
    able, _ = planned("threadpool/tuned", lowest_per_s=20)
    smaller = able["threadpool/tuned"].smaller
    assert [each.covered for each in smaller] == sorted((each.covered for each in smaller), reverse=True)
    assert 0 < smaller[0].covered < 1
    assert smaller[-1].carries_per_s <= 20


def test_what_lies_beyond_the_trials_is_said() -> None:
    able, _ = planned("threadpool/tuned", duration_ms=800, done_within_ms=10_000, cores=4)
    told = able["threadpool/tuned"].extrapolated
    assert "tasks of 800 ms: measured from 20 to 500 ms" in told
    assert "4 cores: measured on 1" in told
    assert not planned("threadpool/tuned", duration_ms=100)[0]["threadpool/tuned"].extrapolated


def test_the_split_of_fast_and_slow_steps_outvotes_a_single_one() -> None:
    def steps(*told: tuple[float, float]) -> list[Answered]:
        return [Answered(rate_per_s=rate, p99_ms=p99, trial_id="") for rate, p99 in told]

    assert fast_to(steps((10, 5), (20, 300), (30, 6), (40, 7), (50, 400)), 100) == 40
    assert fast_to(steps((10, 500), (20, 600)), 100) == 0
    assert fast_to(steps((10, 5), (20, 6)), 100) == 20


def test_settings_are_steps_that_a_person_would_take() -> None:
    assert list(LADDER) == sorted(set(LADDER))
    assert all(high <= low * 4 / 3 for low, high in pairwise(LADDER[2:]))


def test_a_page_needs_nothing_else_and_escapes_names(tmp_path: Path) -> None:
    cells = [Cell("<b>", [(rate, 3, 50)]) for rate in (20, 100, 200)]
    found = read_measures(build(tmp_path / "made", cells)[0].folder)
    demand = replace(DEMAND, duration_ms=50, cores=2)
    able, unable = options(found, demand, {})
    assert [each.subject for each in able] == ["<b>/default"]
    made = plan_page(told_plan(found, demand, able, unable), draw(stairs(able, demand), demand))
    assert "<svg" in made
    assert "&lt;b&gt;/default" in made
    assert "<b>" not in made
    assert "http" not in made


def test_every_option_names_its_trials() -> None:
    able, _ = planned()
    for option in able.values():
        told = dict(reasons(option, DEMAND))
        assert option.measure.trials[0] in told["rests on"]


def test_a_campaign_of_drills_tells_no_cost(tmp_path: Path) -> None:
    drills = build_drills(tmp_path / "drills", [DrillCell("kill-web", "background_tasks", then="loses")])
    with pytest.raises(BlockpointError, match="holds only drills"):
        read_measures(drills.folder)
