"""What a drill leaves behind: its tables, every task's fate, and why it does not count where it does not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.drills.accounts import accounts
from analysis.drills.fates import Evidence, Verdicts, count
from analysis.queueing import saturation_rate
from harness.drills.catalogue import Drill
from harness.drills.fault_log import FaultLog, open_in
from harness.target.target import Target
from harness.trial.accounts import account_for_tasks, spread
from harness.trial.resources import resource_columns
from results.clock import boot_id
from results.findings import Incident
from results.load import Load
from results.schema import Plan, Trial
from results.terms import Fate

OF_TIME = ("slip", "rate", "cpu")
"""beginnings of the gate's reasons that concern when requests were sent, not how many"""


@dataclass(frozen=True)
class Record:
    """A drill that is over."""

    target: Target
    drill: Drill
    plan: Plan
    load: Load
    log: FaultLog
    alive: frozenset[int]
    """the target's processes that still live"""
    cores: int
    """that the processes running tasks may use"""
    default_window_s: float
    alone: bool

    def trial(self, staged: Path, attempt: int, events: np.ndarray, probes: np.ndarray) -> Trial:
        """Write the tables and return the trial, ready to be sealed; events and probes are records.

        Raises BlockpointError where the fates do not add up.
        """
        subject, log, plan = self.target.subject, self.log, self.plan
        resources = resource_columns(staged / "none", probes)
        verdicts, rows = account_for_tasks(
            staged, events, log.held, resources, self._evidence(), fanout=False
        )
        service = subject.services.get(plan.kind)
        incident = self._incident(verdicts, events)
        return Trial(
            plan=plan,
            attempt=attempt,
            started_at=log.started_at,
            boot_id=boot_id(),
            ceiling_per_s=saturation_rate(service, plan.kind, plan.duration_ms, self.cores)
            if service
            else None,
            drained=not (verdicts.accepted & ~verdicts.ended).any(),
            drained_ns=log.horizon_ns,
            service=service,
            load=self.load,
            accounts=accounts(verdicts),
            incident=incident,
            spread=spread(events, frozenset()),
            rows=rows,
            reasons=self._reasons(incident, verdicts),
        )

    def _evidence(self) -> Evidence:
        log = self.log
        return Evidence.of(
            self.target.subject,
            from_ns=log.from_ns,
            to_ns=log.to_ns,
            at_rest_ns=log.at_rest_ns,
            alive_pids=self.alive,
        )

    def _incident(self, verdicts: Verdicts, events: np.ndarray) -> Incident:
        log = self.log
        died = open_in(events) - self.alive - set(log.struck)
        return Incident(
            summary=self.drill.told(self.target.web_processes),
            trigger=self.drill.trigger.words() if self.drill.fault else "",
            accepted=log.accepted,
            started=log.started,
            ended=log.ended,
            from_ns=log.from_ns,
            to_ns=log.to_ns,
            struck=log.struck,
            exited=log.exited,
            deaths=len(died) if self.drill.restarts else 0,
            at_rest_ns=log.at_rest_ns,
            horizon_ns=log.horizon_ns,
            survivors=sorted(self.alive),
            window_s=self.target.subject.window_s,
            default_window_s=self.default_window_s,
            hastened=log.hastened,
            hidden=int(verdicts.hidden.sum()),
            hidden_until_s=verdicts.hidden_until_s(log.from_ns, log.at_rest_ns),
            fates=count(verdicts),
        )

    def _reasons(self, incident: Incident, verdicts: Verdicts) -> list[str]:
        wrong = {
            "unaccounted for": incident.fates[Fate.UNACCOUNTED.label],
            "still running at the horizon": incident.fates[Fate.CUT_OFF.label],
            "known to the ledger though this trial never sent them": verdicts.strangers,
        }
        return [
            *(reason for reason in self.load.reasons if self.alone or not reason.startswith(OF_TIME)),
            *(f"accounts: {number} tasks are {words}" for words, number in wrong.items() if number),
        ]
