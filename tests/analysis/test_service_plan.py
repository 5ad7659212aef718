"""Plans of a service: of measures that are known, and of a campaign that was made for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.plan.demand import RateDemand
from analysis.plan.measures import Cost
from analysis.plan.options import Refusal
from analysis.plan.page import plan_page
from analysis.plan.service_measures import Latencies, MeasuredPoint, ServiceMeasures, read_service_measures
from analysis.plan.service_plan import ServiceOption, plan_service
from analysis.plan.service_words import enlarged, told_service_plan
from analysis.trials.brackets import Bracket
from analysis.trials.culprit import Culprit
from results.errors import BlockpointError
from results.schema import Subject
from tests.analysis.synthetic_service import ASKED, build_service

SHARED = Culprit(("POST /orders",), ("GET /health",), "POST /orders", "")
WEB = Cost(role="web", task_ms=(0.8, 1.0, 1.25), idle_cores=0.05, memory_mib=50)
SHOP = ServiceMeasures(
    campaign="first",
    subject=Subject(strategy="shop", variant="service", summary="", services={}, asked=ASKED),
    limit_ms=100,
    cores=1,
    cpu_model="",
    python="3.11",
    points=(MeasuredPoint("blocking", Bracket(140, 160), ""),),
    culprit=SHARED,
    costs=(WEB,),
    held=(Latencies(50, {"POST /orders": 9}, "one"), Latencies(140, {"POST /orders": 60}, "two")),
    highest_per_s=300,
    trials=("one", "two"),
)
DEMAND = RateDemand(lowest_per_s=200, highest_per_s=200, slo_p99_ms=100, cores=1, headroom=1.2)


def planned(demand: RateDemand = DEMAND, measures: ServiceMeasures = SHOP) -> ServiceOption:
    found = plan_service(measures, demand)
    assert isinstance(found, ServiceOption)
    return found


def refused(demand: RateDemand = DEMAND, measures: ServiceMeasures = SHOP) -> str:
    found = plan_service(measures, demand)
    assert isinstance(found, Refusal)
    return found.why


@pytest.mark.parametrize(("rate", "processes"), [(1, 1), (116.6, 1), (117, 2), (200, 2), (350.1, 4)])
def test_as_many_processes_as_hold_what_was_seen_to_hold(rate: float, processes: int) -> None:
    demand = replace(DEMAND, lowest_per_s=rate, highest_per_s=rate)
    found = planned(demand)
    assert found.processes == processes
    assert found.carries_per_s >= demand.sized_per_s
    assert all(below.carries_per_s < demand.sized_per_s for below in found.smaller)


def test_it_is_busy_between_what_held_and_what_failed() -> None:
    assert planned().utilisation == (200 / 320, 200 / 280)
    endless = replace(SHOP, points=(MeasuredPoint("blocking", Bracket(300, None), ""),))
    assert planned(measures=endless).utilisation[0] == 0


def test_the_first_of_several_points_is_the_one_that_counts() -> None:
    behind = MeasuredPoint("saturation", Bracket(90, 100), "")
    found = planned(measures=replace(SHOP, points=(*SHOP.points, behind)))
    assert found.processes == 3
    assert [each.name for each in found.bounds[:2]] == ["saturation", "blocking"]


def test_more_of_what_blocks_does_instead_where_the_core_has_room_and_nowhere_else() -> None:
    assert planned().instead == pytest.approx(240 / 140)
    assert enlarged(planned(), 15) == 26
    assert enlarged(planned(), 14) == 24
    assert enlarged(planned(), None) is None
    held_up = replace(SHOP, culprit=Culprit(("POST /orders", "GET /health"), (), "POST /orders", ""))
    assert planned(measures=held_up).instead is None
    busy = replace(SHOP, costs=(Cost(role="web", task_ms=(4, 4, 4), idle_cores=0, memory_mib=50),))
    assert planned(replace(DEMAND, cores=2), busy).instead is None
    assert planned(replace(DEMAND, headroom=1, highest_per_s=100, lowest_per_s=100)).instead is None


def test_more_processes_than_the_cores_carry_are_refused() -> None:
    busy = replace(SHOP, costs=(Cost(role="web", task_ms=(4, 4, 4), idle_cores=0, memory_mib=50),))
    assert refused(measures=busy) == "the only core gets full from 200/s on: it takes more cores"
    assert planned(replace(DEMAND, cores=2), busy).processes == 2


def test_what_gave_way_at_once_carries_nothing() -> None:
    point = MeasuredPoint("blocking", Bracket(None, 12), "")
    assert "it gave way at 12/s, the lowest rate tried" in refused(measures=replace(SHOP, points=(point,)))


def test_what_lies_beyond_the_trials_of_a_service_is_said() -> None:
    told = "; ".join(planned(replace(DEMAND, cores=4)).extrapolated)
    assert "2 processes: measured with 1" in told
    assert "4 cores: measured on 1" in told
    assert "in proportion" in told
    assert not list(planned(replace(DEMAND, highest_per_s=50, lowest_per_s=50)).extrapolated)


def test_what_is_expected_was_measured_at_no_lower_rate() -> None:
    near = planned().nearest
    assert near
    assert (near.rate_per_s, near.trial_id) == (140, "two")


def test_a_campaign_is_read_and_told_on_a_page(tmp_path: Path) -> None:
    measures = read_service_measures(build_service(tmp_path / "made", 40, 70, 100).folder)
    assert measures.points[0].bracket == Bracket(70, 100)
    assert measures.culprit.slow == ("POST /orders", "GET /orders")
    assert measures.culprit.fast == ("GET /health",)
    demand = replace(DEMAND, cores=8, lowest_per_s=50)
    unseen = replace(measures, costs=())
    told = told_service_plan(unseen, demand, planned(demand, unseen), 4)
    ((cells, reasons),) = told.options
    assert cells[:2] == ("shop/service", "4")
    assert "1 process with 3.4 times as much of what blocks, 14 in place of 4" in dict(reasons)["instead"]
    assert [words.split(" carr")[0] for about, words in reasons if about == "smaller"] == [
        "3 processes",
        "2 processes",
        "1 process",
    ]
    assert "wait for and GET /health does not need" in plan_page(told)


def test_another_limit_judges_the_same_trials(tmp_path: Path) -> None:
    folder = build_service(tmp_path / "made", 40, 70, 100).folder
    stricter, milder = read_service_measures(folder, 30), read_service_measures(folder, 5000)
    assert stricter.points[0].bracket.failed == 70
    assert milder.points[0].bracket.failed is None


def test_a_campaign_without_a_valid_trial_tells_nothing(tmp_path: Path) -> None:
    campaign = build_service(tmp_path / "made", 40, reasons=["slip: late"])
    with pytest.raises(BlockpointError, match="no trial of it is valid"):
        read_service_measures(campaign.folder)
