import dataclasses
from pathlib import Path
from typing import Any

import pytest

from harness.commands.find import FindRequest, searched
from harness.search.profiles import FEWEST_ARRIVALS, SEARCHES, points, search_seconds
from harness.target.placement import BY_RULE
from results.errors import BlockpointError
from results.schema import Point
from results.traffic import USUAL
from targets.settings import Settings

STANDARD = SEARCHES["standard"]


def point(subject: str, **changes: Any) -> Point:
    profile = dataclasses.replace(STANDARD, **changes)
    (made,) = points(profile, [subject], Settings(), BY_RULE)
    return made


def request(**changes: Any) -> FindRequest:
    given = (
        dict.fromkeys(field.name for field in dataclasses.fields(FindRequest)) | {"predict": True} | changes
    )
    return FindRequest(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("predict", [True, False])
@pytest.mark.parametrize("duration_ms", [100, 10_000, 60_000])
@pytest.mark.parametrize(
    ("subject", "slots"),
    [("background_tasks_blocking/default", 1), ("celery/tuned", 40), ("threadpool/tuned", 40)],
)
def test_the_range_begins_at_half_of_the_law_or_below(
    subject: str, slots: int, duration_ms: float, predict: bool
) -> None:
    found = point(subject, durations_ms=(duration_ms,), predict=predict)
    law = slots / duration_ms * 1000
    assert found.lowest_per_s <= law / 2
    assert found.saturation_per_s == (pytest.approx(law) if predict else None)


def test_trials_of_rare_tasks_last_until_enough_have_come_and_no_others_are_longer() -> None:
    slow = point("background_tasks_blocking/default", durations_ms=(10_000.0,))
    assert search_seconds(slow, slow.lowest_per_s) == pytest.approx(240)
    for rate in (0.06, 0.1, 0.5, 100):
        assert search_seconds(slow, rate) * rate >= FEWEST_ARRIVALS * 0.999
    assert search_seconds(slow, 0.2) == pytest.approx(60)
    quick = point("background_tasks/default")
    assert quick.lowest_per_s == FEWEST_ARRIVALS / STANDARD.max_seconds
    assert search_seconds(quick, quick.lowest_per_s) == STANDARD.max_seconds
    assert search_seconds(quick, 1_000) == STANDARD.seconds


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("seconds", [1, 5, 30, 3_600])
def test_trials_are_as_long_as_was_asked_for(name: str, seconds: float) -> None:
    profile = searched(request(seconds=seconds, predict=False), name)
    (found,) = points(profile, ["background_tasks/default"], Settings(), BY_RULE)[:1]
    for rate in (found.lowest_per_s, 50, found.highest_per_s):
        assert search_seconds(found, rate) >= seconds
    assert found.max_seconds >= found.seconds == seconds


def test_full_asks_for_every_kind_in_hours() -> None:
    profile = SEARCHES["full"]
    found = points(profile, ["background_tasks/default"], Settings(), BY_RULE)
    asked = {(each.kind, each.topology, each.duration_ms) for each in found}
    waiting = {("sleep", "one-box", each) for each in (1, 10, 100, 1_000, 10_000, 30_000)}
    computing = {
        (kind, topology, each)
        for kind in ("cpu", "cpu_native")
        for topology in ("one-box", "split")
        for each in (10, 100, 1_000)
    }
    assert asked == waiting | computing
    assert profile.budget_s < 86_400


def test_durations_that_were_asked_for_hold_for_every_kind() -> None:
    profile = searched(request(durations_ms=(20.0,)), "full")
    found = points(profile, ["background_tasks/default"], Settings(), BY_RULE)
    assert {each.duration_ms for each in found} == {20.0}
    assert {each.kind for each in found} == {"sleep", "cpu", "cpu_native"}


def test_a_search_offers_the_traffic_that_was_asked_for_and_predicts_for_it() -> None:
    traffic = request(arrivals="onoff", cv=0.0, trace="", burst_mean_s=1.0, mix=0.0).traffic
    profile = dataclasses.replace(STANDARD, seconds=30)
    steady, bursts = (
        points(profile, ["background_tasks/default"], Settings(), BY_RULE, each)[0]
        for each in (USUAL, traffic)
    )
    assert steady.options == []
    assert bursts.options == ["--arrivals", "onoff", "--burst-mean-s", "1"]
    assert bursts.saturation_per_s == steady.saturation_per_s
    assert bursts.blocking_per_s is not None
    assert steady.blocking_per_s is not None
    assert bursts.blocking_per_s < 0.7 * steady.blocking_per_s


def test_a_bad_trace_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(BlockpointError, match="cannot be read"):
        _ = request(arrivals="trace", cv=0.0, trace=str(tmp_path / "none"), burst_mean_s=0.5, mix=0.0).traffic


def test_a_prediction_for_very_long_trials_follows_only_part_of_them() -> None:
    hour = point("background_tasks/default", durations_ms=(1.0,), seconds=3_600, max_seconds=3_600)
    minute = point("background_tasks/default", durations_ms=(1.0,), seconds=60, max_seconds=60)
    assert hour.blocking_per_s == minute.blocking_per_s


def test_a_highest_rate_below_the_lowest_is_refused_with_what_would_help() -> None:
    with pytest.raises(BlockpointError, match=r"^--max-rate 0\.2 is below 0\.8/s, [^\n]*--seconds 60\)$"):
        point("background_tasks/default", highest_per_s=0.2)
    asked = searched(request(seconds=60, highest_per_s=0.2), "standard")
    assert points(asked, ["background_tasks/default"], Settings(), BY_RULE)


def test_what_theory_cannot_say_is_not_written_as_if_nothing_blocked() -> None:
    for subject in ("background_tasks/default", "background_tasks/tuned", "celery/tuned"):
        computing = point(subject, kinds=("cpu",))
        assert computing.blocking_per_s is None
