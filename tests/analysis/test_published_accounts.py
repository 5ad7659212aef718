"""The accounts of every published trial, told again from its rows; of drills, the sums of their fates."""

from pathlib import Path

import numpy as np
import pytest

from analysis.drills.accounts import accounts
from analysis.drills.fates import Evidence, Rows, fates
from results.columns import EVENTS
from results.findings import Accounts
from results.schema import Trial
from results.store import Campaign, open_campaign
from results.terms import Look, Moment

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
CAMPAIGNS = sorted(folder.name for folder in PUBLISHED.iterdir())


def told(campaign: Campaign, trial: Trial) -> Accounts:
    """Return the accounts by the rows; a trial of before there were `survivors` says nothing of who lived."""
    subject = campaign.manifest.subject(trial.plan.subject)
    requests, recorded = campaign.table(trial, "requests"), campaign.table(trial, "events")
    asked = Rows.of(
        {name: requests[name].to_numpy() for name in ("task_id", "outcome", "sent_ns")},
        fanout=trial.load.scenario == "fanout",
    )
    events = {name: recorded[name].to_numpy() for name in EVENTS}
    evidence = Evidence(
        max_attempts=subject.max_attempts,
        in_process=not subject.queues,
        alive_pids=frozenset(trial.survivors or events["pid"].tolist()),
    )
    return accounts(fates(asked, events, {Look.AT_HORIZON: held(campaign, trial, asked, events)}, evidence))


def held(campaign: Campaign, trial: Trial, asked: Rows, events: dict[str, np.ndarray]) -> np.ndarray:
    """Return what the broker had in the end; without a record of it, whatever had not started."""
    if "holdings" in trial.rows:
        return np.asarray(campaign.table(trial, "holdings")["task_id"].to_numpy())
    if trial.drained:
        return np.empty(0, np.uint64)
    return np.setdiff1d(asked.task_id, events["task_id"][events["moment"] == Moment.STARTED])


def polled(campaign: Campaign, trial: Trial) -> Accounts:
    """Return the accounts of those tasks that were asked for: of them only their ends are seen."""
    events = campaign.table(trial, "events")
    task_id, moment = events["task_id"].to_numpy(), events["moment"].to_numpy()
    asked, finished = (set(task_id[moment == each]) for each in (Moment.ACCEPTED, Moment.FINISHED))
    ended = len(asked & finished)
    none = dict.fromkeys(Accounts.__struct_fields__, 0)
    return Accounts(**none | {"accepted": len(asked), "finished": ended, "waiting": len(asked) - ended})


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if not name.startswith("drills")])
def test_every_trial_says_what_its_rows_say(name: str) -> None:
    campaign = open_campaign(PUBLISHED / name)
    for trial in campaign.trials():
        seen = polled if campaign.manifest.subject(trial.plan.subject).completions == "poll" else told
        assert seen(campaign, trial) == trial.accounts, trial.plan.trial_id
        if trial.valid:
            assert (trial.accounts.unaccounted, trial.accounts.strangers) == (0, 0)


@pytest.mark.parametrize("name", [name for name in CAMPAIGNS if name.startswith("drills")])
def test_a_drills_accounts_are_sums_of_its_fates(name: str) -> None:
    for trial in open_campaign(PUBLISHED / name).trials():
        assert trial.incident
        by_fate, counts = trial.incident.fates, trial.accounts
        finished = ("completed", "hidden", "started_twice", "completed_twice")
        assert counts.finished == sum(by_fate[fate] for fate in finished)
        assert (counts.lost, counts.failed) == (by_fate["lost"], by_fate["failed"])
        assert (counts.started_twice, counts.finished_twice) == (
            by_fate["started_twice"],
            by_fate["completed_twice"],
        )
        assert counts.in_service + counts.waiting == by_fate["held"] + by_fate["cut_off"]
