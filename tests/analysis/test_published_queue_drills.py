"""What the documentation tells of the drills of eight queues, held against what is published with it."""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from results.schema import Trial
from results.store import open_campaign
from results.terms import Fate

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
CAMPAIGNS = ("drills-queues", "drills-saq", "drills-rq-durable")
AGAIN = "saq"
"""measured again in the second campaign, with the whole of its window"""
LATE = (
    "taskiq/default",
    "taskiq/durable",
    "dramatiq",
    "rq",
    "streaq",
    "celery_rabbitmq/durable",
    "procrastinate",
)
REDIS = ("taskiq", "dramatiq", "rq", "streaq", "huey")


@cache
def valid_trials(campaign: str) -> list[Trial]:
    return [trial for trial in open_campaign(PUBLISHED / campaign).trials() if trial.valid]


def met(drills: tuple[str, ...], subjects: tuple[str, ...]) -> Iterator[Trial]:
    for trial in valid_trials("drills-queues"):
        plan = trial.plan
        if plan.drill in drills and plan.subject.startswith(subjects) and not plan.subject.startswith(AGAIN):
            yield trial


def fates_of(trial: Trial) -> dict[str, int]:
    assert trial.incident is not None
    return dict(trial.incident.fates)


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_every_task_is_accounted_for(campaign: str) -> None:
    for trial in valid_trials(campaign):
        fates = fates_of(trial)
        assert sum(fates.values()) == trial.load.scheduled
        assert fates[Fate.UNACCOUNTED.label] == fates[Fate.CUT_OFF.label] == 0


@pytest.mark.parametrize("campaign", ["drills-queues", "drills-saq"])
def test_every_drill_was_done_twenty_times_with_every_queue_that_it_concerns(campaign: str) -> None:
    plans = open_campaign(PUBLISHED / campaign).manifest.plans
    planned = {(plan.drill, plan.subject.split("/")[0]) for plan in plans}
    done = Counter((t.plan.drill, t.plan.subject.split("/")[0]) for t in valid_trials(campaign))
    assert {pair: done[pair] for pair in planned if done[pair] < 20} == {}


KILLED = ("kill-broker", "kill-broker-aof")
LOST = [
    (0, 11_577, ("kill-web", "stop-web"), ("",)),
    (28, 560, ("kill-worker",), ("taskiq/tuned",)),
    (50, 1_600, ("kill-worker",), ("huey",)),
    (42, 1_120, ("kill-worker",), ("celery_rabbitmq/default", "celery_rabbitmq/tuned")),
    (0, 8_400, ("kill-worker",), LATE),
    (10, 800, ("stop-worker",), ("huey/default",)),
    (1_270, 7_342, ("kill-broker",), REDIS),
    (21, 8_222, ("kill-broker-aof",), REDIS),
    (0, 3_172, KILLED, ("procrastinate",)),
    (0, 264, KILLED, ("celery_rabbitmq/durable",)),
    (324, 1_454, KILLED, ("celery_rabbitmq/default", "celery_rabbitmq/tuned")),
    (80, 800, ("poison-kill",), ("huey/tuned",)),
    (50, 560, ("poison-kill",), ("celery_rabbitmq/tuned",)),
    (14, 560, ("poison-kill",), ("rq/default",)),
    (14, 560, ("poison-kill",), ("celery_rabbitmq/default",)),
]


@pytest.mark.parametrize(("lost", "accepted", "drills", "subjects"), LOST)
def test_so_many_of_the_accepted_tasks_are_lost(
    lost: int, accepted: int, drills: tuple[str, ...], subjects: tuple[str, ...]
) -> None:
    found = list(met(drills, subjects))
    assert sum(fates_of(trial)[Fate.LOST.label] for trial in found) == lost
    assert sum(trial.load.accepted for trial in found) == accepted


TOLD = [
    (45, Fate.HELD, "kill-worker", "dramatiq/default"),
    (40, Fate.HELD, "kill-worker", "dramatiq/tuned"),
    (7, Fate.HELD, "kill-worker", "procrastinate/default"),
    (24, Fate.HELD, "kill-worker", "procrastinate/tuned"),
    (6, Fate.HELD, "kill-worker", "taskiq/default"),
    (9, Fate.HELD, "kill-worker", "rq/durable"),
    (59, Fate.STARTED_TWICE, "stop-worker", "streaq"),
    (186, Fate.COMPLETED_TWICE, "too-short-window", "taskiq"),
    (63, Fate.COMPLETED_TWICE, "too-short-window", "rq/durable"),
    (140, Fate.FAILED, "too-short-window", "rq"),
]


@pytest.mark.parametrize(("number", "fate", "drill", "subject"), TOLD)
def test_the_documentation_tells_the_campaigns_own_figures(
    number: int, fate: Fate, drill: str, subject: str
) -> None:
    assert sum(fates_of(trial)[fate.label] for trial in met((drill,), (subject,))) == number


def test_what_ran_when_a_durable_worker_died_mostly_runs_again() -> None:
    found = [trial for trial in met(("kill-worker",), ("",)) if trial.plan.subject.endswith("/durable")]
    assert sum(fates_of(trial)[Fate.STARTED_TWICE.label] for trial in found) == 147
    assert sum(fates_of(trial)[Fate.COMPLETED_TWICE.label] for trial in found) == 1


def test_saq_as_shipped_gives_up_what_a_killed_worker_ran_and_with_tries_left_runs_it_again() -> None:
    lost, twice = Counter[str](), Counter[str]()
    for trial in valid_trials("drills-saq"):
        if trial.plan.drill == "kill-worker":
            variant = trial.plan.subject.removeprefix("saq/")
            lost[variant] += fates_of(trial)[Fate.LOST.label]
            twice[variant] += fates_of(trial)[Fate.STARTED_TWICE.label]
    assert lost == {"default": 31, "tuned": 0, "durable": 0}
    assert twice == {"default": 0, "tuned": 27, "durable": 28}


def test_rq_durable_as_mended_keeps_a_few_that_were_fetched_and_not_begun() -> None:
    held, twice, done = Counter[str](), Counter[str](), Counter[str]()
    for trial in valid_trials("drills-rq-durable"):
        done[trial.plan.drill] += 1
        held[trial.plan.drill] += fates_of(trial)[Fate.HELD.label]
        twice[trial.plan.drill] += fates_of(trial)[Fate.COMPLETED_TWICE.label]
    assert set(done.values()) == {7}
    assert +held == {"kill-worker": 3, "stop-worker": 2, "kill-broker-aof": 3}
    assert twice["too-short-window"] == 56
