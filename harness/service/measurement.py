"""Trials of a service: what of a measurement differs where not every task is followed to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from analysis.drills.fates import Evidence
from harness.service.target import ServiceTarget
from harness.target.target import Launch, Target
from harness.trial.measurement import Measurement, Measuring, undisturbed
from harness.trial.observation import Seen
from results.columns import EVENTS
from results.findings import Accounts
from results.load import Load
from results.schema import Plan, Trial
from results.tables import read_table, write_table
from results.terms import Moment, Outcome


@dataclass(frozen=True)
class ServiceMeasurement(Measurement):
    """A measurement of a service whose tasks record nothing themselves."""

    stops_early: ClassVar[bool] = False

    def _account(
        self,
        staged: Path,
        seen: Seen,
        evidence: Evidence,  # noqa: ARG002
        *,
        fanout: bool,  # noqa: ARG002
    ) -> tuple[Accounts, dict[str, int]]:
        """Count the tasks that were followed, if any were, and what of them was seen to end."""
        rows = {name: read_table(staged, name).num_rows for name in ("requests", "bystanders")}
        events = seen.events
        rows["events"] = write_table(staged, "events", {name: events[name] for name in EVENTS})
        rows["resources"] = write_table(staged, "resources", seen.resources)
        requests = read_table(staged, "requests")
        return seen_of(requests["task_id"].to_numpy(), requests["outcome"].to_numpy(), events), rows

    def _reasons(
        self,
        staged: Path,  # noqa: ARG002
        load: Load,  # noqa: ARG002
        seen: Seen,  # noqa: ARG002
        accounts: Accounts,  # noqa: ARG002
        *,
        overloaded: bool,  # noqa: ARG002
    ) -> list[str]:
        """Return nothing: what nobody follows is no fault, and an error is an answer that did not come."""
        return []


def seen_of(sent: np.ndarray, outcome: np.ndarray, events: np.ndarray) -> Accounts:
    """Return what was seen of the tasks that were followed; of none, how many were accepted.

    `sent` and `outcome` are those of the requests. A task that ended without having been accepted, as far as
    its client knows, ran all the same; any other that ended is a stranger.
    """

    def told(moment: Moment) -> tuple[np.ndarray, np.ndarray]:
        return np.unique(events["task_id"][events["moment"] == moment], return_counts=True)

    followed, _ = told(Moment.ACCEPTED)
    finished, times = told(Moment.FINISHED)
    ended = np.union1d(finished, told(Moment.FAILED)[0])
    accepted = len(followed) or int(np.count_nonzero(outcome == Outcome.ACCEPTED))
    in_time = len(np.intersect1d(finished, followed))
    failed = len(np.intersect1d(ended, followed)) - in_time
    return Accounts(
        accepted=accepted,
        finished=in_time,
        failed=failed,
        in_service=0,
        waiting=0,
        unaccounted=accepted - in_time - failed,
        started_twice=0,
        finished_twice=len(np.intersect1d(finished[times > 1], followed)),
        ran_unaccepted=len(np.setdiff1d(np.intersect1d(ended, sent), followed)),
        strangers=len(np.setdiff1d(ended, sent)),
    )


@dataclass(frozen=True)
class ServiceMeasuring(Measuring):
    """The procedure of a campaign that measures a service."""

    overhead_s: ClassVar[float] = 4.0
    """of a trial: another start of the service, the generator's, drain and sealing"""

    def carry_out(
        self, target: tuple[Launch, Target], plan: Plan, staged: Path, attempt: int, tick: Callable[[], None]
    ) -> tuple[Trial, bool]:
        """Measure one trial, and say whether another may follow on the same processes.

        Where nobody sees that it has nothing left to do, each trial has a service of its own, if we start it.
        """
        launch, service = target
        assert isinstance(service, ServiceTarget)
        recorded = service.subject.completions == "ledger"
        made: Any = Measurement if recorded else ServiceMeasurement
        trial = made(launch, service, plan, self.limits, tick).measure(staged, attempt)
        done = service.subject.completions != "none" or not service.service.started
        return trial, done and undisturbed(trial)
