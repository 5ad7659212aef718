"""What the documentation tells of the drills with Celery 5.7, held against what is published with it."""

from collections import Counter
from pathlib import Path

import pytest

from results.schema import Trial
from results.store import open_campaign
from results.terms import Fate

CAMPAIGN = open_campaign(Path(__file__).parents[2] / "results" / "published" / "drills-celery")
TRIALS = [trial for trial in CAMPAIGN.trials() if trial.valid]
THREADS = ("celery/tuned", "celery/threads")
PREFORK = ("celery/default", "celery/late")
SUPERVISED = ("celery/durable",)
"""started again when it exits, so that it never counts as exited"""
EVERY = (*THREADS, *PREFORK, *SUPERVISED)
NOT_ACCEPTED = (Fate.REJECTED, Fate.UNKNOWN, Fate.RAN_UNACCEPTED, Fate.SHED)


def met(drills: tuple[str, ...], subjects: tuple[str, ...]) -> list[Trial]:
    return [trial for trial in TRIALS if trial.plan.drill in drills and trial.plan.subject in subjects]


def fates(trials: list[Trial]) -> Counter[str]:
    found: Counter[str] = Counter()
    for trial in trials:
        assert trial.incident is not None
        found.update(dict(trial.incident.fates))
    return found


def accepted(trials: list[Trial]) -> int:
    found = fates(trials)
    return found.total() - sum(found[fate.label] for fate in NOT_ACCEPTED)


def test_every_task_of_every_drill_is_accounted_for() -> None:
    found = fates(TRIALS)
    assert len(TRIALS) == len(CAMPAIGN.trials()) == 261
    assert accepted(TRIALS) == 19_423
    assert found[Fate.UNACCOUNTED.label] == found[Fate.CUT_OFF.label] == 0
    drills = Counter(trial.plan.drill for trial in TRIALS)
    assert min(drills.values()) == 20


def test_it_is_the_release_that_the_page_names() -> None:
    assert {CAMPAIGN.manifest.subject(name).versions["celery"] for name in EVERY} == {"5.7.0"}


def test_a_worker_with_threads_exits_when_its_broker_is_killed_and_one_with_children_does_not() -> None:
    killed = ("kill-broker", "kill-broker-aof")
    exits = [
        sum("worker" in trial.incident.exited for trial in met(killed, subjects) if trial.incident)
        for subjects in (THREADS, PREFORK)
    ]
    assert exits == [16, 0]
    assert [len(met(killed, subjects)) for subjects in (THREADS, PREFORK)] == [16, 16]
    assert fates(met(killed, THREADS))[Fate.HIDDEN.label] == 1_029


@pytest.mark.parametrize(
    ("drill", "subjects", "lost", "of"),
    [
        ("kill-broker", EVERY, 157, 1_599),
        ("kill-broker-aof", EVERY, 1, 1_600),
        ("kill-worker", THREADS, 33, 640),
        ("kill-worker", SUPERVISED, 0, 320),
        ("kill-child", ("celery/late",), 7, 560),
        ("kill-child", SUPERVISED, 0, 560),
    ],
)
def test_what_was_lost(drill: str, subjects: tuple[str, ...], lost: int, of: int) -> None:
    trials = met((drill,), subjects)
    assert (fates(trials)[Fate.LOST.label], accepted(trials)) == (lost, of)


def test_a_worker_that_is_told_to_stop_loses_nothing_and_repeats_nothing() -> None:
    assert +fates(met(("stop-worker",), EVERY)) == {Fate.COMPLETED.label: 1_600}
