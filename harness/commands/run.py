"""The command `run`: from what was asked for to a finished campaign and its report."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from harness.campaign.agenda import Agenda
from harness.campaign.conditions import Selection
from harness.campaign.grid import Planner
from harness.campaign.predictions import in_versions, predicted_per_s, select, usable
from harness.campaign.profiles import PROFILES, SERVICES_LONG, Profile
from harness.campaign.progress import describe, minutes
from harness.campaign.runner import Tally, missing, tally, unmeasured_lines
from harness.commands.point_documents import point_documents
from harness.commands.skeleton import Conclusion, PlannedCommand
from harness.commands.trial_documents import trial_documents
from harness.terminal.exits import DONE, FAULT
from harness.trial.measurement import Limits, Measuring
from results.errors import BlockpointError, lookup
from results.schema import Plan
from results.store import Campaign
from results.terms import KINDS


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRequest(Selection):
    """What `run` was asked for."""

    rates_per_s: tuple[float, ...]
    repeats: int | None


class RunCommand(PlannedCommand[RunRequest]):
    """Measures every trial of a profile."""

    name = "run"
    profile: Profile

    def agenda(self) -> Agenda:
        """Return the planned trials, those that last longer than asked for being named."""
        self._take(asked_profile(self.request))
        request, profile = self.request, self.profile
        keys, left_out = usable(
            in_versions(select(profile.subjects, request.strategies, request.variants), request.pins),
            request.task,
        )
        plans = _plans(request, profile, keys)
        for line in longer(plans, request.seconds):
            self.say(line)
        return Agenda(profile=profile.name, plans=plans, left_out=left_out)

    def left(self, campaign: Campaign) -> list[Plan]:
        """Return the planned trials without a valid run."""
        if any(plan.drill for plan in campaign.manifest.plans):
            raise BlockpointError(f"{campaign.folder} is made of drills: continue it with `blockpoint drill`")
        self._take(
            _changed(lookup("profile", campaign.manifest.profile, PROFILES), attempts=self.request.attempts)
        )
        return [plan for plan, _ in missing(campaign, self.attempts)]

    def _take(self, profile: Profile) -> None:
        self.profile, self.attempts, self.retry_until_s = profile, profile.attempts, profile.retry_until_s

    def show(self, work: Sequence[Plan]) -> None:
        """Print the planned trials with their ceilings."""
        request = self.request
        table = Table("trial", "length", "ceiling", box=None, pad_edge=False)
        for plan in work:
            where = (plan.kind, plan.duration_ms, plan.topology)
            limit = predicted_per_s(
                plan.subject,
                request.settings,
                *where,
                placement=request.placement,
                lasting=request.traffic.lasting,
            )
            table.add_row(describe(plan), f"{plan.seconds:g} s", "none" if limit is None else f"{limit:g}/s")
        self.console.print(table)
        words = f"{len(work)} trials of profile {self.profile.name}"
        self.console.print(f"{words}, about {minutes(self.total_s(work))} in all")

    def procedure(self, _: Campaign) -> Measuring:
        """Return a plain measurement."""
        request = self.request
        return request.host.measuring(
            Limits(self.profile.drain_s, request.max_foreign_cores, request.quiet_wait)
        )

    def conclude(self, campaign: Campaign) -> Conclusion:
        """Say what stayed invalid or unmeasured; its code is 1 where that is all, or a trial failed."""
        counts = tally(campaign)
        if counts.invalid:
            self.say(
                f"{counts.invalid} of {len(campaign.manifest.plans)} trials stayed invalid: kept with their "
                "reasons, drawn as crosses, not averaged in\nonce the machine is quieter, try them again: "
                f"blockpoint run --resume {campaign.folder.name}{self.request.host.option} --attempts 5"
            )
        for line in unmeasured_lines(campaign):
            self.say(line)
        if not counts.valid + counts.invalid:
            raise BlockpointError(f"{campaign.folder}: no trial could be measured")
        page = self.report(campaign)
        code = FAULT if counts.failed or not counts.valid else DONE
        return Conclusion(code, _document(campaign, counts) if self.request.as_json else {}, page)


def _document(campaign: Campaign, counts: Tally) -> dict[str, Any]:
    from analysis.trials.derive import derive

    derived = derive(campaign.folder)
    return {
        "limit_ms": campaign.manifest.limit_ms,
        "planned_trials": dataclasses.asdict(counts),
        "points": point_documents(derived.points),
        "trials": trial_documents(derived.summary),
    }


def asked_profile(request: RunRequest) -> Profile:
    """Return the profile with whatever was asked for; raises BlockpointError for an unknown name."""
    profile = lookup("profile", request.profile, PROFILES)
    asked_s = request.seconds or 0.0
    return _changed(
        profile,
        attempts=request.attempts,
        kinds=request.kinds,
        durations_ms=request.durations_ms,
        repeats=request.repeats,
        topologies=request.topologies,
        cpu_topologies=request.topologies,
        seconds=request.seconds,
        max_seconds=request.seconds,
        burst_s=request.seconds,
        sweep_step_s=asked_s / max(len(profile.sweep_durations_ms), 1),
    )


def _changed(profile: Profile, **changes: Any) -> Profile:
    """Return the profile with whatever was asked for; asking for attempts lifts the limit on their time."""
    asked = {name: value for name, value in changes.items() if value}
    if "attempts" in asked:
        asked["retry_until_s"] = float("inf")
    return dataclasses.replace(profile, **asked)


def _plans(request: RunRequest, profile: Profile, keys: Sequence[str]) -> list[Plan]:
    base = request.settings

    def ceiling(key: str, kind: str, duration_ms: float, topology: str) -> float | None:
        return predicted_per_s(
            key,
            base,
            kind,
            duration_ms,
            topology,
            placement=request.placement,
            lasting=request.traffic.lasting,
        )

    computes = not all(KINDS[kind].held for kind in profile.kinds)
    topologies = dict.fromkeys([*profile.topologies, *(profile.cpu_topologies if computes else ())])
    plans = Planner(profile, ceiling, request.seed, request.rates_per_s, request.traffic).plan(
        keys, list(topologies)
    )
    if not plans:
        raise BlockpointError("nothing to measure: no trial of this profile fits what was asked for")
    return plans


def longer(plans: list[Plan], asked_s: float | None) -> Iterator[str]:
    """Yield what to say of trials that have to last longer than was asked for."""
    longer = {plan.duration_ms: plan.seconds for plan in plans if asked_s and plan.seconds > asked_s * 1.001}
    for duration_ms, seconds in sorted(longer.items()):
        yield (
            f"--seconds {asked_s:g}: trials of tasks of {duration_ms:g} ms last {seconds:g} s, "
            f"since a trial lasts {SERVICES_LONG} services at the least"
        )
