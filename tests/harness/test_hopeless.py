from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import results
from harness.trial.early_stop import Watch
from results.schema import Trial
from results.store import Campaign, open_campaign
from results.terms import Moment

SECONDS = 8.0
PUBLISHED = Path(results.__file__).parent / "published"


def looks(
    rate: float,
    served: float,
    seed: int = 0,
    *,
    limit_ms: float = 100.0,
    seconds: float = SECONDS,
    began_s: float = 0.03,
) -> tuple[float, str]:
    """Return what a watch says of a target that serves at most so many tasks a second, and when.

    It looks ten times a second, from before the schedule begins until it has been over for as long.
    """
    watch = Watch(rate, seconds, 50, limit_ms, bystander_per_s=100)
    random = np.random.default_rng(seed)
    came = began_s + np.sort(random.uniform(0, seconds, round(rate * seconds)))
    ended = 0.0
    for at_s in np.arange(0, began_s + 2 * seconds, 0.1):
        begun = int(np.searchsorted(came, at_s))
        ended = min(ended + served * 0.1, float(begun))
        if said := watch.look(float(at_s), begun, int(ended)):
            return float(at_s) - began_s, said
    return 2 * seconds, ""


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("rate", [10, 100, 1_000])
def test_a_target_that_keeps_up_is_left_alone(rate: float, seed: int) -> None:
    assert looks(rate, rate * 1.02, seed)[1] == ""


@pytest.mark.parametrize("rate", [100, 1_000])
def test_a_target_that_falls_far_behind_is_stopped_half_way(rate: float) -> None:
    at_s, said = looks(rate, rate / 2)
    assert said.startswith("50% of the arrivals stayed behind after 3.")
    assert said.endswith("of 8 s")
    assert at_s < SECONDS / 2


@pytest.mark.parametrize("began_s", [0.0, 0.01, 0.05, 0.09, 1.234])
@pytest.mark.parametrize(("rate", "seconds"), [(5_000, 2), (600, 2), (10, 60)])
def test_a_target_that_finishes_everything_is_left_alone_once_nothing_more_comes(
    rate: float, seconds: float, began_s: float
) -> None:
    assert looks(rate, 2 * rate, seconds=seconds, began_s=began_s)[1] == ""


@given(
    rate=st.floats(5, 3_000),
    share=st.floats(0, 1),
    seconds=st.floats(1, 12),
    began_s=st.floats(0, 5),
    seed=st.integers(0, 9),
)
def test_no_stop_comes_after_the_schedule(
    rate: float, share: float, seconds: float, began_s: float, seed: int
) -> None:
    at_s, said = looks(rate, rate * share, seed, seconds=seconds, began_s=began_s)
    assert not said or at_s < seconds


def standing_still(rate: float, stall: tuple[float, float], offset_s: float, seconds: float) -> str:
    """Return what a watch says of a fast target whose loop stands still so long, once in so many seconds."""
    length_s, every_s = stall
    watch = Watch(rate, seconds, 10, 100, bystander_per_s=80)
    random = np.random.default_rng(round(10 * offset_s))
    came = 0.03 + np.sort(random.uniform(0, seconds, round(rate * seconds)))
    ended = 0
    for at_s in np.arange(0, seconds, 0.1):
        begun = int(np.searchsorted(came, at_s))
        ended = ended if (at_s - offset_s) % every_s < length_s else begun
        if said := watch.look(float(at_s), begun, ended):
            return said
    return ""


@pytest.mark.parametrize("seconds", [2.5, 5])
@pytest.mark.parametrize("rate", [157, 478])
@pytest.mark.parametrize("stall", [(0.4, 4), (0.5, 20), (0.4, 1.5), (1.2, 10)])
def test_a_standstill_is_no_backlog_whenever_it_comes(
    stall: tuple[float, float], rate: float, seconds: float
) -> None:
    offsets = np.arange(0, stall[1], 0.1).tolist()
    said = {standing_still(rate, stall, offset_s, seconds) for offset_s in offsets}
    assert said == {""}


def test_an_overload_is_seen_between_standstills() -> None:
    watch = Watch(400, 8, 50, 100, bystander_per_s=100)
    ended, said = 0.0, ""
    for at_s in np.arange(0, 8, 0.1):
        ended += 0 if at_s % 2 < 0.4 else 20
        said = said or watch.look(float(at_s), int(400 * at_s), int(ended))
    assert said.endswith("of 8 s")


def test_falling_behind_a_little_is_worth_the_whole_trial() -> None:
    assert looks(1_000, 930)[1] == ""


def test_a_stream_that_shares_the_queue_has_crossed_the_limit_by_then() -> None:
    assert looks(1_000, 800, limit_ms=100)[1]
    assert looks(1_000, 800, limit_ms=5_000)[1] == ""


def test_slots_that_fill_up_are_no_backlog() -> None:
    watch = Watch(10, SECONDS, 3_000, 100, bystander_per_s=100)
    assert not any(
        watch.look(at_s, int(10 * at_s), max(0, int(10 * (at_s - 3)))) for at_s in np.arange(0, 8, 0.1)
    )


def replayed(campaign: Campaign, trial: Trial, phase_s: float) -> str:
    """Return what a watch says of a sealed trial whose looks begin at that moment before its schedule."""
    plan = trial.plan
    events = campaign.table(trial, "events")
    moment, at_ns = (np.asarray(events[name].to_numpy()) for name in ("moment", "at_ns"))
    at_s = (at_ns - trial.load.steps[0].from_ns) / 1e9
    begun, ended = (np.sort(at_s[moment == which]) for which in (Moment.STARTED, Moment.FINISHED))
    watch = Watch(
        plan.rate_per_s, plan.seconds, plan.duration_ms, campaign.manifest.limit_ms, plan.bystander_per_s
    )
    said = (
        watch.look(now_s, int(np.searchsorted(begun, now_s)), int(np.searchsorted(ended, now_s)))
        for now_s in np.arange(-phase_s, 2 * plan.seconds, 0.1)
    )
    return next(filter(None, said), "")


LATE_STOPS = [
    ("qa", "0005-celery-tuned-steady-sleep-100ms-359.4per_s-r0"),
    ("qa", "0031-background_tasks-default-steady-sleep-100ms-445.2per_s-r0"),
    ("qb", "0042-background_tasks-default-steady-sleep-100ms-445.2per_s-r0"),
]


def test_of_the_published_early_stops_none_came_after_its_schedule() -> None:
    """Three of them had: they looked on at a target that had finished all that came."""
    stopped = [
        (campaign, trial)
        for campaign in map(open_campaign, sorted(PUBLISHED.iterdir()))
        for trial in campaign.trials()
        if trial.stopped_early
    ]
    whole = [
        (campaign, trial)
        for campaign, trial in stopped
        if trial.load.scheduled == round(trial.plan.rate_per_s * trial.plan.seconds)
    ]
    assert len(stopped) == 176
    assert [(campaign.manifest.campaign, trial.plan.trial_id) for campaign, trial in whole] == LATE_STOPS
    for campaign, trial in whole:
        assert trial.accounts.finished == trial.load.scheduled
        for phase_s in (0.2, 0.25, 0.29):
            assert replayed(campaign, trial, phase_s) == "", trial.plan.trial_id
