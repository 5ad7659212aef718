"""What the documentation tells of the drills with Celery 5.7, held against what is published with it."""

from collections import Counter

import pytest

from results.terms import Fate
from tests.analysis.drilled import Drilled, accepted, fates

DRILLS = Drilled("drills-celery")
THREADS = ("celery/tuned", "celery/threads")
PREFORK = ("celery/default", "celery/late")
SUPERVISED = ("celery/durable",)
"""started again when it exits, so that it never counts as exited"""
EVERY = (*THREADS, *PREFORK, *SUPERVISED)


def test_every_task_of_every_drill_is_accounted_for() -> None:
    found = fates(DRILLS.trials)
    assert len(DRILLS.trials) == len(DRILLS.campaign.trials()) == 261
    assert accepted(DRILLS.trials) == 19_423
    assert found[Fate.UNACCOUNTED.label] == found[Fate.CUT_OFF.label] == 0
    drills = Counter(trial.plan.drill for trial in DRILLS.trials)
    assert min(drills.values()) == 20


def test_it_is_the_release_that_the_page_names() -> None:
    assert {DRILLS.campaign.manifest.subject(name).versions["celery"] for name in EVERY} == {"5.7.0"}


def test_a_worker_with_threads_exits_when_its_broker_is_killed_and_one_with_children_does_not() -> None:
    killed = ("kill-broker", "kill-broker-aof")
    exits = [
        sum("worker" in trial.incident.exited for trial in DRILLS.met(killed, subjects) if trial.incident)
        for subjects in (THREADS, PREFORK)
    ]
    assert exits == [16, 0]
    assert [len(DRILLS.met(killed, subjects)) for subjects in (THREADS, PREFORK)] == [16, 16]
    assert fates(DRILLS.met(killed, THREADS))[Fate.HIDDEN.label] == 1_029


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
    trials = DRILLS.met((drill,), subjects)
    assert (fates(trials)[Fate.LOST.label], accepted(trials)) == (lost, of)


def test_a_worker_that_is_told_to_stop_loses_nothing_and_repeats_nothing() -> None:
    assert +fates(DRILLS.met(("stop-worker",), EVERY)) == {Fate.COMPLETED.label: 1_600}
