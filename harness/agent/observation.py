"""Follows a target on the agent's host, and tells its moments by our clock."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np

from harness.agent import messages as m
from harness.agent.connection import WORK_S, LostAgentError
from harness.agent.sighting import Sighting, sighting
from harness.agent.target import AgentTarget
from harness.target.target import Launch
from harness.trial.observation import SAMPLES, Beside, Counts, Seen, sampled
from harness.trial.resources import resource_columns
from harness.trial.sampler import HARNESS
from loadtests.openloop.clocks import Translation
from results.columns import LEDGER_RECORD, PROBE_RECORD, RESOURCES
from results.errors import BlockpointError
from results.findings import TargetHost
from results.tables import Columns
from results.terms import Look

A = TypeVar("A")
GENERATOR: Final = "generator"
_NO_PROBES: Final = np.empty(0, PROBE_RECORD)


class AgentObservation:
    """What `harness.trial.observation` does, over an agent; where that is lost, it sees nothing more."""

    def __init__(self, launch: Launch, target: AgentTarget, folder: Path) -> None:
        self._launch = launch
        self._target = target
        self._folder = folder
        self._host = target.on
        self._connection = target.connection
        self._of = m.Of(target=target.name)
        self._before = sighting(self._connection)
        self._lost = ""
        self._counts = Counts(0, 0)
        self._connection.ask("observe", self._of, m.Nothing)

    @contextlib.contextmanager
    def sampling(self, beside: Beside) -> Iterator[None]:
        """Have the agent sample, and sample here what it does not see."""
        with contextlib.ExitStack() as here:
            if not self._target.shared:
                here.enter_context(sampled(self._launch, beside, self._folder))
            seen = [*beside, (HARNESS, os.getpid())] if self._target.shared else []
            self._connection.ask("sample", m.Sample(target=self._target.name, beside=seen), m.Nothing)
            yield
            self._heard("sampled", m.Nothing)

    def look(self) -> str:
        """Ask how far the work has come; returns why the agent is lost, where it is."""
        if found := self._heard("counts", m.Counted):
            self._counts = Counts(found.begun, found.ended)
        return self._lost

    def counts(self) -> Counts:
        """Return what the last look was told."""
        return self._counts

    def drained(self) -> bool:
        """Say whether the backlog is gone; it is not known to be where the agent is lost."""
        found = self._heard("drained", m.Drained)
        return bool(found and found.drained)

    def seen(self, *, drained: bool) -> Seen:
        """Fetch all that was seen, and tell it by our clock."""
        try:
            if not self._lost:
                return self._fetched(sighting(self._connection), drained=drained)
        except LostAgentError as error:
            self._lost = str(error)
        return self._blind(f"lost: {self._lost}")

    def _heard(self, call: str, answer: type[A]) -> A | None:
        """Return the answer of an agent; None where it is lost, and is not asked again."""
        try:
            return None if self._lost else self._connection.ask(call, self._of, answer)
        except LostAgentError as error:
            self._lost = str(error)
            return None

    def _fetched(self, after: Sighting, *, drained: bool) -> Seen:
        asked = m.Collect(target=self._target.name, drained=drained)
        found = self._connection.ask("collect", asked, m.Collected, WORK_S)
        if after.boot_id != self._before.boot_id:
            return self._blind(f"clocks: that of {self._host} is not the one that it began with")
        clock = Translation(self._before.offset, after.offset)
        there, here = _by_our_clock(_columns(found.resources), clock), self._sampled_here()
        return Seen(
            events=_by_our_clock(self._records(found), clock),
            resources=both(there, here),
            held={
                Look(look): {at: set(ids) for at, ids in kept.items()} for look, kept in found.held.items()
            },
            survivors=frozenset(found.survivors),
            web=frozenset(found.web),
            spoilt=found.spoilt,
            host=self._told(clock),
            here=None if self._target.shared else here,
        )

    def _sampled_here(self) -> Columns:
        """Return what the sampler here saw: nothing where the agent's saw it all."""
        samples = self._folder / SAMPLES
        found = resource_columns(samples, _NO_PROBES)
        samples.unlink(missing_ok=True)
        return found

    def _records(self, found: m.Collected) -> np.ndarray:
        """Fetch the ledger piece by piece; raises BlockpointError where it is not what was sealed."""
        pieces = []
        for begin in range(0, found.rows, m.PIECE_ROWS):
            asked = m.Piece(target=self._target.name, begin=begin)
            pieces.append(self._connection.ask("records", asked, m.Records, WORK_S).data)
        data = b"".join(pieces)
        whole = len(data) == found.rows * LEDGER_RECORD.itemsize
        if not whole or hashlib.sha256(data).hexdigest() != found.sha256:
            raise BlockpointError(f"the ledger that came from {self._host} is not the one that it sealed")
        return np.frombuffer(data, LEDGER_RECORD).copy()

    def _told(self, clock: Translation | None) -> TargetHost:
        before = self._before
        return TargetHost(
            host=self._host,
            boot_id=before.boot_id,
            offset_ns=before.offset.offset_ns,
            uncertainty_ns=clock.uncertainty_ns if clock else before.offset.uncertainty_ns,
            drift_ppm=clock.drift_ppm if clock else 0.0,
            joined=clock is not None,
        )

    def _blind(self, why: str) -> Seen:
        here = self._sampled_here()
        return Seen(
            events=np.empty(0, LEDGER_RECORD),
            resources=here,
            held={},
            survivors=frozenset(),
            web=frozenset(),
            spoilt=[f"{why}; only the client's side of this trial is kept"],
            host=self._told(None),
            here=None if self._target.shared else here,
        )


def both(there: Columns, here: Columns) -> Columns:
    """Return the samples of two hosts in one table: of ours, if any, what generates and leads."""
    if not len(here["role"]):
        return there
    ours, theirs = np.isin(here["role"], [GENERATOR, HARNESS]), there["role"] != HARNESS
    joined = {name: np.concatenate([there[name][theirs], here[name][ours]]) for name in there}
    order = np.argsort(joined["at_ns"], kind="stable")
    return {name: column[order] for name, column in joined.items()}


def _columns(told: dict[str, list[Any]]) -> dict[str, np.ndarray]:
    """Return the table of resources; raises BlockpointError where it is none."""
    try:
        return {
            name: np.array(told[name], dtype=object if kind == "string" else kind)
            for name, kind in RESOURCES.items()
        }
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        raise BlockpointError(f"the agent's samples are no table of ours: {error}") from None


def _by_our_clock(moments: Any, clock: Translation) -> Any:
    """Write the moments of a table over with ours."""
    if not clock.same:
        moments["at_ns"] = clock.ours(moments["at_ns"])
    return moments
