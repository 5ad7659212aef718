"""Trials of a target on the agent's host: what of a measurement differs there."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import msgspec
import numpy as np

from analysis.drills.fates import Evidence
from harness.agent.observation import AgentObservation
from harness.agent.target import AgentTarget
from harness.trial.measurement import Measurement, Measuring
from harness.trial.noise import await_quiet, during
from harness.trial.observation import Observer, Seen
from loadtests.openloop.gate import slip_limit_ms
from results.findings import Accounts, Noise, TargetHost
from results.load import Load
from results.tables import read_table
from results.terms import Outcome

_UNKNOWN: Final = (
    *("finished", "failed", "in_service", "waiting"),
    *("started_twice", "finished_twice", "ran_unaccepted", "strangers"),
)
"""of tasks whose ledger never came"""
_FIGURES: Final = ("hiccup_p99_ms", "hiccup_max_ms", "foreign_cores", "steal_cores")


@dataclass(frozen=True)
class AgentMeasurement(Measurement):
    """A measurement of a target that an agent follows."""

    @property
    def _there(self) -> AgentTarget:
        assert isinstance(self.target, AgentTarget)
        return self.target

    def _observation(self, staged: Path) -> Observer:
        return AgentObservation(self.launch, self._there, staged)

    def _await_quiet(self) -> Noise:
        """Wait for both hosts, one after the other, or for the one that both are on."""
        limits = self.limits
        there = self._there.quiet(limits.foreign_cores, limits.quiet_wait_s)
        if self._there.shared:
            return there
        own = self.launch.pinning.generator
        return worst(there, await_quiet(own, (), limits.foreign_cores, limits.quiet_wait_s, self.tick))

    def _noise(self, before: Noise, seen: Seen, load: Load) -> Noise:
        noise = super()._noise(before, seen, load)
        if seen.here is None:
            return noise
        here = during(before, seen.here, load.steps[0].measure_from_ns, load.steps[-1].to_ns)
        return worst(noise, here)

    def _account(
        self, staged: Path, seen: Seen, evidence: Evidence, *, fanout: bool
    ) -> tuple[Accounts, dict[str, int]]:
        """Return what became of the tasks; of those whose ledger never came nobody knows."""
        tasks, rows = super()._account(staged, seen, evidence, fanout=fanout)
        if seen.host and seen.host.joined:
            return tasks, rows
        unknown = dict.fromkeys(_UNKNOWN, 0)
        return Accounts(accepted=tasks.accepted, unaccounted=tasks.accepted, **unknown), rows

    def _reasons(
        self, staged: Path, load: Load, seen: Seen, accounts: Accounts, *, overloaded: bool
    ) -> list[str]:
        host = seen.host
        if host is None or not host.joined:
            return []
        limit_ms = slip_limit_ms(_accept_p50_ms(staged), self.tolerated_slip_ms)
        return [
            *reasons_for_clocks(host, limit_ms),
            *super()._reasons(staged, load, seen, accounts, overloaded=overloaded),
        ]


@dataclass(frozen=True)
class AgentMeasuring(Measuring):
    """The procedure of a campaign whose targets an agent starts."""

    of: ClassVar[type[Measurement]] = AgentMeasurement


def reasons_for_clocks(host: TargetHost, limit_ms: float) -> list[str]:
    """Return why a trial does not count whose two hosts' clocks are not known well enough."""
    uncertainty_ms = host.uncertainty_ns / 1e6
    if uncertainty_ms < limit_ms:
        return []
    return [f"clocks: that of {host.host} is known to {uncertainty_ms:.2f} ms, limit {limit_ms:.2f} ms"]


def _accept_p50_ms(staged: Path) -> float:
    requests = read_table(staged, "requests")
    sent, replied, outcome = (
        np.asarray(requests[name].to_numpy()) for name in ("sent_ns", "replied_ns", "outcome")
    )
    took = (replied - sent)[outcome == Outcome.ACCEPTED]
    return float(np.median(took)) / 1e6 if len(took) else 0.0


def worst(one: Noise, other: Noise) -> Noise:
    """Return for each figure of two hosts the worse; what nobody saw on one of them nobody saw."""
    return msgspec.structs.replace(
        one,
        quiet=None if None in (one.quiet, other.quiet) else bool(one.quiet and other.quiet),
        waited_s=one.waited_s + other.waited_s,
        **{name: _most(getattr(one, name), getattr(other, name)) for name in _FIGURES},
    )


def _most(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
