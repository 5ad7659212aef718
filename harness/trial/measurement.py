"""One measured run: preflight, load, drain, accounts, seal."""

import datetime as dt
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from analysis.drills.accounts import accounts
from analysis.drills.fates import Evidence
from analysis.queueing import saturation_rate
from harness.target.processes import Child
from harness.target.roster import DIED
from harness.target.target import Launch, Target
from harness.trial.accounts import account_for_tasks, failed_requests, spread
from harness.trial.early_stop import Watch
from harness.trial.generator import arguments, generating, read_load
from harness.trial.noise import await_quiet, during, excuses, reasons_for_company, reasons_for_noise
from harness.trial.observation import HALTED, Observation, Observer, Seen
from results.clock import boot_id
from results.errors import BlockpointError
from results.findings import Accounts, Noise
from results.load import Load
from results.schema import Plan, Service, Trial
from results.tables import read_table
from results.terms import FANOUT_PARTS, STEADY
from results.traffic import Traffic
from results.waiting import wait_until

GENERATOR_START_LIMIT_S = 30.0
POLL_S = 0.1
STRICTEST_SLIP_MS = 1.0
"""what the generator's own gate allows at any latency"""
SLIP_SHARE = 0.05
"""of the latency that is asked about: lateness only adds to a latency, and verdicts take it off again"""
HOPELESS_DRAIN_S = 1.0
"""a backlog that takes longer than this is cut off: a new target is up in less"""
STANDARD_SLO_MS = 100.0
OVERLOADED_FROM = 0.9
"""share of the ceiling above which refused and unanswered requests are a result, not a fault"""


@dataclass(frozen=True)
class Limits:
    """When a trial is cut off or refused."""

    drain_s: float = 10.0
    """longest wait for the backlog after the load, over a task's duration"""
    foreign_cores: float = 0.1
    quiet_wait_s: float = 3.0
    """longest wait for a quiet machine before the load; 0: none"""
    question_ms: float = 0.0
    """latency limit that a search asks about; hopeless trials are then ended early; 0 asks nothing"""

    @property
    def slo_ms(self) -> float:
        """Latency above which a target is blocked."""
        return self.question_ms or STANDARD_SLO_MS


class Over(NamedTuple):
    """A load that is over, and its backlog with it."""

    load: Load
    stopped_early: str
    """why, if it was"""
    drained: bool
    drained_ns: int

    @property
    def refused(self) -> list[str]:
        """Why the generator's gate refuses it; that it was stopped early is no reason."""
        reasons = self.load.reasons
        return [each for each in reasons if not (self.stopped_early and each.startswith("interrupted:"))]


@dataclass(frozen=True)
class Measurement:
    """One planned trial about to be measured on a running target."""

    launch: Launch
    target: Target
    plan: Plan
    limits: Limits
    stops_early: ClassVar[bool] = True
    """every task is followed, so that it is seen where more of a trial would teach nothing"""
    tick: Callable[[], None] = lambda: None
    """called many times a second while there is nothing to do but wait"""

    def measure(self, staged: Path, attempt: int) -> Trial:
        """Measure and write the tables; a trial that the gate refuses has its reasons.

        Raises BlockpointError where there is nothing to seal: the target or the generator died.
        """
        started_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        for kind in dict.fromkeys(self.plan.kinds):
            self.target.preflight(kind)
        before = self._await_quiet()
        observation = self._observation(staged)
        over = self._load(staged, observation)
        load, seen = over.load, observation.seen(drained=over.drained)
        evidence, fanout = self._evidence(seen.survivors), load.scenario == "fanout"
        tasks, rows = self._account(staged, seen, evidence, fanout=fanout)
        noise = self._noise(before, seen, load)
        reasons = [
            *seen.spoilt,
            *self._reasons(staged, load, seen, tasks, overloaded=self._overloaded(over)),
            *reasons_for_noise(noise, self.limits.foreign_cores),
        ]
        refused = over.refused
        return Trial(
            plan=self.plan,
            attempt=attempt,
            started_at=started_at,
            boot_id=boot_id(),
            ceiling_per_s=self._ceiling_per_s(load),
            drained=over.drained,
            drained_ns=over.drained_ns,
            stopped_early=over.stopped_early,
            noise=noise,
            service=self._service,
            load=load,
            accounts=tasks,
            survivors=sorted(seen.survivors),
            target_host=seen.host,
            spread=spread(seen.events, seen.web),
            rows=rows,
            reasons=[*refused, *reasons, *(excuses(noise) if refused else ())],
        )

    def _observation(self, staged: Path) -> Observer:
        """Return what follows the target from now on."""
        return Observation(self.launch, self.target, staged)

    def _load(self, staged: Path, observation: Observer) -> Over:
        """Run the generator, and a sampler beside it, until the backlog is gone or given up."""
        given = self._arguments(staged)
        with (
            generating(self.launch, self.plan, given, staged / "logs") as generators,
            observation.sampling([(child.role, child.pid) for child in generators]),
        ):
            generator = generators[0]
            stopped = self._await(generator, observation)
            drained = self._drain(observation, HOPELESS_DRAIN_S if stopped else self._drain_s)
        drained_ns = time.monotonic_ns()
        load = read_load(staged, generator)
        return Over(load, stopped if load.interrupted else "", drained, drained_ns)

    def _await_quiet(self) -> Noise:
        ours = [child.pid for child in self.target.children()]
        limits = self.limits
        cores = self.launch.pinning.used
        return await_quiet(cores, ours, limits.foreign_cores, limits.quiet_wait_s, self.tick)

    @property
    def _drain_s(self) -> float:
        """Longest wait after the load: what came last is under way for a service, whatever the backlog."""
        return self.limits.drain_s + self.plan.duration_ms / 1000

    @property
    def tolerated_slip_ms(self) -> float:
        """Lateness that is no fault; 0 leaves that to the scenario."""
        slip_ms = SLIP_SHARE * self.limits.question_ms
        return slip_ms if slip_ms > STRICTEST_SLIP_MS else 0.0

    def _arguments(self, staged: Path) -> list[str]:
        given = arguments(self.target, self.plan, staged, self._drain_s, self.tolerated_slip_ms)
        return [*given, "--slo-ms", f"{self.limits.slo_ms:g}"]

    def _await(self, generator: Child, observation: Observer) -> str:
        """Wait for the generator's end; returns why it was ended early, if it was."""
        plan, traffic = self.plan, Traffic.of(self.plan.options)
        stops = self.stops_early and traffic.even and plan.scenario == STEADY and not plan.whole
        asked_ms = self.limits.question_ms if stops else 0.0
        settled_ms = traffic.settled_ms(plan.duration_ms)
        watch = Watch(plan.rate_per_s, plan.seconds, settled_ms, asked_ms, plan.bystander_per_s)
        stopped = ""

        def ended() -> bool:
            nonlocal stopped
            lost = observation.look()
            if not stopped:
                looked_s = time.monotonic()
                stopped = lost or (watch.look(looked_s, *observation.counts()) if asked_ms else "")
                if stopped:
                    generator.process.send_signal(signal.SIGINT)
            self.tick()
            return not generator.running

        longest_s = plan.seconds + self._drain_s + GENERATOR_START_LIMIT_S
        if not wait_until(ended, longest_s, POLL_S):
            raise BlockpointError(f"{plan.trial_id}: the generator did not end in time")
        return stopped

    def _drain(self, observation: Observer, within_s: float) -> bool:
        """Wait until the backlog is gone; returns whether it is."""

        def drained() -> bool:
            observation.look()
            self.tick()
            return observation.drained()

        return wait_until(drained, within_s, POLL_S)

    def _evidence(self, survivors: frozenset[int]) -> Evidence:
        return Evidence(
            max_attempts=self.target.subject.max_attempts,
            in_process=not self.target.subject.queues,
            alive_pids=survivors,
        )

    def _account(
        self, staged: Path, seen: Seen, evidence: Evidence, *, fanout: bool
    ) -> tuple[Accounts, dict[str, int]]:
        """Return what became of the tasks, and the rows of each table, which are written."""
        verdicts, rows = account_for_tasks(
            staged, seen.events, seen.held, seen.resources, evidence, fanout=fanout
        )
        return accounts(verdicts), rows

    @property
    def _service(self) -> Service | None:
        """How the tasks are served; None where nothing is known of it."""
        return self.target.subject.services.get(self.plan.kind)

    def _ceiling_per_s(self, load: Load) -> float | None:
        """Return where theory sees the tasks saturate their service; None where it knows no limit."""
        service, plan = self._service, self.plan
        if service is None:
            return None
        cores = self.launch.settings.cores
        return saturation_rate(service, plan.kind, plan.duration_ms, cores, load.lasting)

    def _overloaded(self, over: Over) -> bool:
        """Say whether failed requests are a result: where nothing is known of the service, they are."""
        service = self._service
        if over.stopped_early or service is None:
            return True
        return overloads(service, over.load, self.launch.settings.cores)

    def _noise(self, before: Noise, seen: Seen, load: Load) -> Noise:
        """Return what others took before the load and in its measured part."""
        return during(before, seen.resources, load.steps[0].measure_from_ns, load.steps[-1].to_ns)

    def _reasons(
        self,
        staged: Path,
        load: Load,
        seen: Seen,  # noqa: ARG002
        accounts: Accounts,
        *,
        overloaded: bool,
    ) -> list[str]:
        """Return why the trial does not count, by the target's part of it."""
        errors = failed_requests(read_table(staged, "requests"), load.drained_ns, self.limits.slo_ms)
        unaccounted, strangers = accounts.unaccounted, accounts.strangers
        below = f"errors: {errors} requests failed below the predicted saturation"
        checks = [
            (unaccounted > 0, f"accounts: {unaccounted} accepted tasks are unaccounted for"),
            (strangers > 0, f"accounts: {strangers} events of tasks that were never sent"),
            (errors > 0 and not overloaded, below),
        ]
        return [reason for against, reason in checks if against]


def overloads(service: Service, load: Load, cores: int) -> bool:
    """Say whether any step of a load comes near the rate at which theory sees the service saturate."""
    parts = FANOUT_PARTS if load.scenario == "fanout" else 1
    for step in load.steps:
        ceiling = saturation_rate(service, load.kind, step.duration_ms, cores, load.lasting)
        if ceiling is not None and step.rate_per_s * parts >= OVERLOADED_FROM * ceiling:
            return True
    return False


@dataclass(frozen=True)
class Measuring:
    """The procedure of a campaign of measurements."""

    limits: Limits
    overhead_s: ClassVar[float] = 2.5
    """the generator's start, drain and sealing"""
    repeats_together: ClassVar[int] = 1
    of: ClassVar[type[Measurement]] = Measurement

    def launch(self, _: Plan, plain: Launch) -> Launch:
        """Return how the target is started: as it is."""
        return plain

    def logs_name(self, plan: Plan) -> str:
        """Return a name that the trials of a subject share, as they share its target."""
        return f"{plan.subject.replace('/', '-')}-{plan.topology}"

    def carry_out(
        self, target: tuple[Launch, Target], plan: Plan, staged: Path, attempt: int, tick: Callable[[], None]
    ) -> tuple[Trial, bool]:
        """Measure one trial, and say whether another may follow on its target."""
        trial = self.of(*target, plan, self.limits, tick).measure(staged, attempt)
        return trial, undisturbed(trial)

    def reasons_for_company(self, company: list[str]) -> list[str]:
        """Return why a trial beside which others measured does not count."""
        return reasons_for_company(company, self.limits.foreign_cores)


def undisturbed(trial: Trial) -> bool:
    """Say whether the target is as it was before the trial, so that another may follow on it."""
    return trial.drained and not any(reason.startswith((DIED, HALTED)) for reason in trial.reasons)
