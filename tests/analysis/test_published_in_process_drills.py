"""What the documentation tells of the drills with four more in-process ways, against what is published."""

from collections import Counter

import pytest

from analysis.drills.derive import derive_drills
from results.terms import Fate
from tests.analysis.drilled import PUBLISHED, Drilled, accepted, fates

DRILLS = Drilled("drills-in-process")
EVERY = ("",)
UNTIDY = ("create_task/default", "apscheduler/default")
"""as shipped, these wait for nothing when they are told to stop"""
TIDY = ("create_task/tuned", "apscheduler/tuned", "yield_dependency", "processpool")


def test_every_task_of_every_drill_is_accounted_for() -> None:
    found = fates(DRILLS.trials)
    assert len(DRILLS.trials) == len(DRILLS.campaign.trials()) == 420
    assert accepted(DRILLS.trials) == 22_340
    assert found[Fate.UNACCOUNTED.label] == found[Fate.CUT_OFF.label] == 0
    done = Counter((trial.plan.drill, trial.plan.subject.split("/")[0]) for trial in DRILLS.trials)
    assert set(done.values()) == {20}


@pytest.mark.parametrize(
    ("drill", "subjects", "lost", "of"),
    [
        ("stop-web", UNTIDY, 51, 1_076),
        ("stop-web", TIDY, 0, 2_428),
        ("kill-child", ("processpool/default",), 222, 323),
        ("kill-child", ("processpool/tuned",), 76, 800),
        ("kill-web", EVERY, 583, 4_099),
        ("poison-kill", ("processpool/tuned",), 360, 800),
        ("client-reset", EVERY, 0, 3_200),
        ("poison-raise", EVERY, 0, 6_400),
    ],
)
def test_what_was_lost(drill: str, subjects: tuple[str, ...], lost: int, of: int) -> None:
    trials = DRILLS.met((drill,), subjects)
    assert (fates(trials)[Fate.LOST.label], accepted(trials)) == (lost, of)


def test_a_killed_web_process_takes_all_that_is_under_way_in_it_and_nothing_else() -> None:
    matrix = derive_drills(PUBLISHED / "drills-in-process").matrix
    killed = matrix[matrix["drill"] == "kill-web"]
    assert len(killed) == 8
    assert killed["in_flight"].tolist() == killed["lost_in_flight"].tolist() == killed["lost"].tolist()


def test_one_poisonous_task_takes_what_runs_beside_it_along() -> None:
    others = ("create_task", "yield_dependency", "apscheduler")
    subjects = {trial.plan.subject for trial in DRILLS.met(("poison-kill",), others)}
    lost = [fates(DRILLS.met(("poison-kill",), (subject,)))[Fate.LOST.label] for subject in subjects]
    assert (len(lost), min(lost), max(lost)) == (6, 83, 130)


def test_a_broken_pool_answers_no_later_request_unless_it_is_made_anew() -> None:
    refused = [
        fates(DRILLS.met(("kill-child",), (subject,)))[Fate.REJECTED.label]
        for subject in ("processpool/default", "processpool/tuned")
    ]
    assert refused == [477, 0]
