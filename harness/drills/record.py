"""What a drill leaves behind: its tables, every task's fate, and why it does not count where it does not."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.drills.fates import Evidence, Rows, Verdicts, count, fates
from analysis.queueing import saturation_rate
from harness.accounts import Ending, account
from harness.drills.catalogue import Drill
from harness.drills.course import Course, open_in
from harness.resources import resource_columns
from harness.stack import Stack
from results.clock import boot_id
from results.schema import Incident, Load, Plan, Trial
from results.tables import read_table, write_table
from results.terms import Fate, Look

OF_TIME = ("slip", "rate", "cpu")
"""beginnings of the gate's reasons that concern when requests were sent, not how many"""


@dataclass(frozen=True)
class Record:
    """A drill that is over."""

    stack: Stack
    drill: Drill
    plan: Plan
    load: Load
    course: Course
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
        subject, course, plan = self.stack.subject, self.course, self.plan
        requests = read_table(staged, "requests")
        columns = {name: np.asarray(requests[name].to_numpy()) for name in ("task_id", "outcome", "sent_ns")}
        held = _of(course.held, set(columns["task_id"].tolist()))
        verdicts = fates(Rows.of(columns), events, _looks(held), self._evidence())
        names = ("task_id", "moment", "at_ns", "pid", "attempt")
        rows = {name: read_table(staged, name).num_rows for name in ("requests", "bystanders")}
        rows["events"] = write_table(staged, "events", {name: events[name] for name in names})
        rows["holdings"] = write_table(staged, "holdings", _holdings(held))
        rows["resources"] = write_table(staged, "resources", resource_columns(staged / "none", probes))
        service = subject.services[plan.kind]
        ending = Ending(max_attempts=subject.max_attempts)
        incident = self._incident(verdicts, events)
        return Trial(
            plan=plan,
            attempt=attempt,
            started_at=course.started_at,
            boot_id=boot_id(),
            ceiling_per_s=saturation_rate(service, plan.kind, plan.duration_ms, self.cores),
            drained=not (verdicts.accepted & ~verdicts.ended).any(),
            drained_ns=course.horizon_ns,
            service=service,
            load=self.load,
            accounts=account(columns["task_id"], columns["outcome"], events, set(), ending),
            incident=incident,
            rows=rows,
            reasons=self._reasons(incident, verdicts),
        )

    def _evidence(self) -> Evidence:
        course = self.course
        return Evidence(
            max_attempts=self.stack.subject.max_attempts,
            from_ns=course.from_ns,
            to_ns=course.to_ns,
            at_rest_ns=course.at_rest_ns,
            horizon_ns=course.horizon_ns,
            in_process=self.stack.broker is None,
            alive_pids=self.alive,
        )

    def _incident(self, verdicts: Verdicts, events: np.ndarray) -> Incident:
        course = self.course
        died = open_in(events) - self.alive - set(course.struck)
        return Incident(
            summary=self.drill.summary,
            trigger=self.drill.trigger.words() if self.drill.strike else "",
            accepted=course.accepted,
            started=course.started,
            ended=course.ended,
            from_ns=course.from_ns,
            to_ns=course.to_ns,
            struck=course.struck,
            exited=course.exited,
            deaths=len(died) if self.drill.restarts else 0,
            at_rest_ns=course.at_rest_ns,
            horizon_ns=course.horizon_ns,
            survivors=sorted(self.alive),
            window_s=self.stack.subject.window_s,
            default_window_s=self.default_window_s,
            hastened=course.hastened,
            hidden=int(verdicts.hidden.sum()),
            hidden_until_s=verdicts.hidden_until_s(course.from_ns, course.at_rest_ns),
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


Held = dict[Look, dict[str, set[int]]]
"""task ids that each look saw, by the broker's key"""


def _of(held: Held, ours: set[int]) -> Held:
    return {look: {place: ids & ours for place, ids in found.items()} for look, found in held.items()}


def _looks(held: Held) -> dict[Look, np.ndarray]:
    return {look: np.array(sorted(set().union(*found.values())), np.uint64) for look, found in held.items()}


def _holdings(held: Held) -> dict[str, np.ndarray]:
    rows = [
        (task_id, int(look), place)
        for look, found in held.items()
        for place, ids in found.items()
        for task_id in sorted(ids)
    ]
    task_ids, looks, places = zip(*rows, strict=True) if rows else ((), (), ())
    return {
        "task_id": np.array(task_ids, np.uint64),
        "look": np.array(looks, np.int8),
        "place": np.array(places, object),
    }
