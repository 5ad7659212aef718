"""What became of every task of a trial, from three records: the client's, the ledger's, the broker's.

Pure numpy, so that the harness can ask it while it runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.drills.task_records import Events, Flags, Ints, TaskRecords
from results.errors import BlockpointError
from results.schema import Subject
from results.terms import FANOUT_PARTS, NEVER, Fate, Look, Outcome

OF_ACCEPTED: Final = frozenset(
    {
        Fate.COMPLETED,
        Fate.HIDDEN,
        Fate.STARTED_TWICE,
        Fate.COMPLETED_TWICE,
        Fate.FAILED,
        Fate.LOST,
        Fate.HELD,
        Fate.CUT_OFF,
    }
)
"""the fates that only an accepted task can have; one that is `UNACCOUNTED` may be either"""

ACKNOWLEDGED_WITHIN_NS: Final = 1_000_000_000
"""how long before a fault a task may have ended whose acknowledgement the fault still took: a worker
acknowledges within milliseconds, an append-only file is written through each second"""
_NONE_YET: Final = -1


@dataclass(frozen=True)
class Rows:
    """What the client knows of each scheduled task: arrays of one length."""

    task_id: npt.NDArray[np.uint64]
    outcome: npt.NDArray[np.int8]
    """`Outcome`"""
    sent: Flags

    @classmethod
    def of(cls, requests: Mapping[str, np.ndarray], *, fanout: bool = False) -> "Rows":
        """Take them from columns of the table `requests`; a fan-out's request stands for its parts."""
        rows = cls(
            task_id=np.asarray(requests["task_id"], np.uint64),
            outcome=np.asarray(requests["outcome"], np.int8),
            sent=np.asarray(requests["sent_ns"]) != NEVER,
        )
        return rows._parts() if fanout else rows

    def _parts(self) -> "Rows":
        parts = np.arange(1, FANOUT_PARTS + 1, dtype=np.uint64)
        return Rows(
            task_id=(self.task_id[:, None] + parts[None, :]).ravel(),
            outcome=np.repeat(self.outcome, FANOUT_PARTS),
            sent=np.repeat(self.sent, FANOUT_PARTS),
        )


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What else a verdict depends on; times are those of the ledger's clock.

    Where no moment is given there was no fault, and nothing explains a loss.
    """

    max_attempts: int
    """runs that a failing task gets in all"""
    from_ns: int = NEVER
    to_ns: int = NEVER
    """the fault's interval"""
    at_rest_ns: int = NEVER
    in_process: bool
    """tasks wait in the web process's memory rather than in a broker"""
    ends_only: bool = False
    """nobody saw a task start: each end is taken for that of a start of its own"""
    alive_pids: frozenset[int] = frozenset()
    """processes that still lived at the horizon: what runs in another never ends"""

    @classmethod
    def of(
        cls, subject: Subject, *, from_ns: int, to_ns: int, at_rest_ns: int, alive_pids: frozenset[int]
    ) -> "Evidence":
        """Return that of a drill of a subject; of a service nobody knows where its tasks wait."""
        return cls(
            max_attempts=subject.max_attempts,
            from_ns=from_ns,
            to_ns=to_ns,
            at_rest_ns=at_rest_ns,
            in_process=not (subject.queues or subject.asked),
            ends_only=subject.completions != "ledger",
            alive_pids=alive_pids,
        )

    @property
    def faulted(self) -> bool:
        """Whether there was a fault."""
        return self.to_ns != NEVER


@dataclass(frozen=True)
class Verdicts:
    """One entry a scheduled task, in the order of the client's rows; times are `NEVER` where none came."""

    fate: npt.NDArray[np.int8]
    """`Fate`"""
    accepted: Flags
    """as far as its client knows"""
    hidden: Flags
    """accepted; at rest neither ended nor in service, and yet named by the broker"""
    attempts: Ints
    """number of starts"""
    known_ns: Ints
    """first moment that the target recorded of it"""
    first_start_ns: Ints
    last_start_ns: Ints
    first_end_ns: Ints
    last_end_ns: Ints
    running: Flags
    """at the horizon a run of it was open in a process that lived"""
    ended: Flags
    """finished, or failed for good"""
    ended_ns: Ints
    """first finish; without one, the last failure of a task that failed for good"""
    strangers: int
    """events of tasks that this trial never sent"""

    def under_way(self, at_ns: int) -> int:
        """Count the accepted tasks that the target knew and had not ended at that time."""
        known = self.accepted & (self.known_ns != NEVER) & (self.known_ns <= at_ns)
        return int((known & (~self.ended | (self.ended_ns > at_ns))).sum())

    def hidden_until_s(self, from_ns: int, at_rest_ns: int) -> float | None:
        """Return seconds from the fault to the latest start of a hidden task; None where none started."""
        starts = self.last_start_ns[self.hidden & (self.last_start_ns > at_rest_ns)]
        return float(starts.max() - from_ns) / 1e9 if len(starts) else None


def fates(requests: Rows, events: Events, held: Mapping[Look, np.ndarray], evidence: Evidence) -> Verdicts:
    """Give every scheduled task exactly one fate.

    `held` has the ids that the broker named at each look; a look that is missing found none. Events may
    come in any order. Raises BlockpointError where two rows share an id.

    An accepted task's records may contradict each other; then it is `UNACCOUNTED`, whatever else holds:
    the target's ledger knows nothing of it; a process recorded more ends than starts of it, or an end
    first; or the broker holds at the horizon what ended for good, with no start after it, more than
    `ACKNOWLEDGED_WITHIN_NS` before the fault. (An entry of a task that ended later is no contradiction:
    the fault may have taken its acknowledgement.) Otherwise the first that applies of: completed twice,
    started twice, hidden, completed, failed, held, cut off, lost. A loss needs a fault that explains it:
    the target knew the task before the fault was over. Else it is `UNACCOUNTED` too. A run that was
    interrupted is over, but it ends no task: where nothing follows, the task is lost.
    """
    ids = requests.task_id
    if len(np.unique(ids)) != len(ids):
        raise BlockpointError("two requests of a trial have the same task id, so no fate can be told")
    ledger = TaskRecords(
        ids,
        events,
        ends_only=evidence.ends_only,
        alive_pids=evidence.alive_pids,
        at_rest_ns=evidence.at_rest_ns,
    )
    accepted = requests.outcome == Outcome.ACCEPTED
    at_rest, at_horizon = (_named(ids, held.get(look)) for look in (Look.AT_REST, Look.AT_HORIZON))

    given_up = (ledger.tried >= evidence.max_attempts) | (~at_horizon & evidence.faulted)
    failed = ledger.failed_last & ~ledger.running & given_up
    ended = (ledger.finishes > 0) | failed
    ended_ns = np.where(
        ledger.finishes > 0, ledger.first_finish_ns, np.where(failed, ledger.last_end_ns, NEVER)
    )
    over_at_rest = ended & (ended_ns <= evidence.at_rest_ns)
    hidden = accepted & at_rest & ~over_at_rest & ~ledger.running_at_rest

    stale = at_horizon & ended & (ledger.last_end_ns < evidence.from_ns - ACKNOWLEDGED_WITHIN_NS)
    stale &= ledger.last_start_ns <= ledger.last_end_ns
    rules = _rules(requests, ledger, evidence, failed=failed, hidden=hidden, held=at_horizon, stale=stale)
    fate = np.full(len(ids), _NONE_YET, np.int8)
    for rule, verdict in rules:
        fate[(fate == _NONE_YET) & rule] = verdict
    return Verdicts(
        fate=fate,
        accepted=accepted,
        hidden=hidden,
        attempts=ledger.starts,
        known_ns=ledger.known_ns,
        first_start_ns=ledger.first_start_ns,
        last_start_ns=ledger.last_start_ns,
        first_end_ns=ledger.first_end_ns,
        last_end_ns=ledger.last_end_ns,
        running=ledger.running,
        ended=ended,
        ended_ns=ended_ns,
        strangers=ledger.strangers,
    )


def _rules(
    requests: Rows,
    ledger: TaskRecords,
    evidence: Evidence,
    *,
    failed: Flags,
    hidden: Flags,
    held: Flags,
    stale: Flags,
) -> list[tuple[Flags, Fate]]:
    """Return whom each fate would suit, the fate that goes first before the others."""
    accepted = requests.outcome == Outcome.ACCEPTED
    sent = requests.sent & (requests.outcome != Outcome.SHED)
    contradiction = ledger.disordered | np.where(accepted, ~ledger.known | stale, False)
    contradiction |= ~sent & (accepted | ledger.known)
    in_memory = evidence.in_process & ledger.web_alive & (ledger.starts == 0)
    explained = ledger.known & (ledger.known_ns <= evidence.to_ns)
    once = accepted & (ledger.finishes == 1)
    return [
        (contradiction, Fate.UNACCOUNTED),
        (accepted & (ledger.finishes > 1), Fate.COMPLETED_TWICE),
        (once & (ledger.starts > ledger.failures + 1), Fate.STARTED_TWICE),
        (once & hidden, Fate.HIDDEN),
        (once, Fate.COMPLETED),
        (accepted & failed, Fate.FAILED),
        (accepted & held, Fate.HELD),
        (accepted & (ledger.running | in_memory), Fate.CUT_OFF),
        (accepted & explained, Fate.LOST),
        (accepted, Fate.UNACCOUNTED),
        (~sent, Fate.SHED),
        (ledger.starts > 0, Fate.RAN_UNACCEPTED),
        (np.isin(requests.outcome, (Outcome.REJECTED, Outcome.REFUSED)), Fate.REJECTED),
        (requests.outcome == Outcome.UNKNOWN, Fate.UNKNOWN),
    ]


def count(verdicts: Verdicts) -> dict[str, int]:
    """Return the number of tasks of each `Fate.label`, every fate named.

    Raises BlockpointError where they do not add up to the rows, or those of accepted tasks to what the
    client saw accepted.
    """
    counts = {fate: int((verdicts.fate == fate).sum()) for fate in Fate}
    if sum(counts.values()) != len(verdicts.fate):
        raise BlockpointError(f"fates add up to {sum(counts.values())} of {len(verdicts.fate)} tasks")
    strays = int(((verdicts.fate == Fate.UNACCOUNTED) & verdicts.accepted).sum())
    told, accepted = sum(counts[fate] for fate in OF_ACCEPTED) + strays, int(verdicts.accepted.sum())
    if told != accepted:
        raise BlockpointError(
            f"fates of accepted tasks add up to {told}, but the client saw {accepted} of them"
        )
    return {fate.label: number for fate, number in counts.items()}


def _named(ids: npt.NDArray[np.uint64], held: np.ndarray | None) -> Flags:
    return np.isin(ids, np.asarray([] if held is None else held, np.uint64))
