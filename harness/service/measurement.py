"""Trials of a service: what of a measurement differs where not every task is followed to its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from analysis.drills.fates import Evidence
from harness.service.target import ServiceTarget
from harness.target.target import Launch, Target
from harness.trial.accounts import Held
from harness.trial.measurement import Measurement, Measuring, undisturbed
from results.columns import EVENTS
from results.findings import Accounts
from results.load import Load
from results.schema import Plan, Trial
from results.tables import Columns, read_table, write_table
from results.terms import Moment, Outcome


@dataclass(frozen=True)
class ServiceMeasurement(Measurement):
    """A measurement of a service whose tasks record nothing themselves."""

    stops_early: ClassVar[bool] = False

    def _account(
        self,
        staged: Path,
        events: np.ndarray,
        held: Held,  # noqa: ARG002
        resources: Columns,
        evidence: Evidence,  # noqa: ARG002
        *,
        fanout: bool,  # noqa: ARG002
    ) -> tuple[Accounts, dict[str, int]]:
        """Count the tasks that were followed, if any were, and what of them was seen to end."""
        rows = {name: read_table(staged, name).num_rows for name in ("requests", "bystanders")}
        rows["events"] = write_table(staged, "events", {name: events[name] for name in EVENTS})
        rows["resources"] = write_table(staged, "resources", resources)
        followed, finished, failed = (
            len(np.unique(events["task_id"][events["moment"] == moment]))
            for moment in (Moment.ACCEPTED, Moment.FINISHED, Moment.FAILED)
        )
        outcome = read_table(staged, "requests")["outcome"].to_numpy()
        accepted = followed or int(np.count_nonzero(outcome == Outcome.ACCEPTED))
        counts: Mapping[str, int] = dict.fromkeys(
            ("in_service", "waiting", "started_twice", "finished_twice", "ran_unaccepted", "strangers"), 0
        )
        unseen = max(accepted - finished - failed, 0)
        return Accounts(
            accepted=accepted, finished=finished, failed=failed, unaccounted=unseen, **counts
        ), rows

    def _reasons(self, staged: Path, load: Load, accounts: Accounts, *, overloaded: bool) -> list[str]:  # noqa: ARG002
        """Return nothing: what nobody follows is no fault, and an error is an answer that did not come."""
        return []


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
