"""Orders the trials of a campaign."""

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from harness.campaign.profiles import Profile, rates, takes, trial_seconds
from results.schema import Plan
from results.terms import FANOUT_PARTS, KINDS, REGISTRATION
from results.traffic import USUAL, Traffic

Ceiling = Callable[[str, str, float, str], float | None]
"""from subject key, kind, duration in ms and topology to a predicted saturation rate"""


@dataclass(frozen=True)
class Planner:
    """Turns a profile into trials."""

    profile: Profile
    ceiling: Ceiling
    seed: int
    rates_per_s: Sequence[float] = ()
    """asked for by name; otherwise the ceilings place the rates"""
    traffic: Traffic = USUAL

    def plan(self, subjects: Sequence[str], topologies: Sequence[str]) -> list[Plan]:
        """Return the trials in the order in which they run.

        All subjects meet the same seeds. Within a repeat the subjects come in random order, and a
        subject's trials too, so that a drift of the machine falls on no one alone. The chunks of a soak
        follow each other.
        """
        shuffle = random.Random(self.seed).shuffle
        ordered: list[Plan] = []
        for repeat in range(self.profile.repeats):
            blocks = [
                [*self._steady(subject, topology, repeat), *self._moving(subject, topology, repeat)]
                for subject, topology in itertools.product(subjects, topologies)
            ]
            shuffle(blocks)
            for block in blocks:
                shuffle(block)
                ordered += block
        if self.profile.soak:
            ordered.sort(key=lambda plan: (plan.subject, plan.topology))
        return [numbered(plan, number) for number, plan in enumerate(ordered, start=1)]

    def _steady(self, subject: str, topology: str, repeat: int) -> Iterator[Plan]:
        profile = self.profile
        for kind, duration_ms in itertools.product(profile.kinds, profile.durations_ms):
            if topology not in (profile.topologies if KINDS[kind].held else profile.cpu_topologies):
                continue
            limit = self.ceiling(subject, kind, duration_ms, topology)
            if limit and profile.registrations:
                limit /= FANOUT_PARTS
            for rate in self.rates_per_s or rates(profile, limit):
                yield self._trial(
                    subject,
                    topology,
                    repeat,
                    kind=kind,
                    duration_ms=duration_ms,
                    scenario=profile.scenario,
                    options=["--parts", ",".join(REGISTRATION)] if profile.registrations else [],
                    rate_per_s=rate,
                    seconds=trial_seconds(profile.seconds, profile.max_seconds, duration_ms, rate),
                )

    def _moving(self, subject: str, topology: str, repeat: int) -> Iterator[Plan]:
        profile = self.profile
        if topology != profile.topologies[0] or "sleep" not in profile.kinds or self.rates_per_s:
            return
        if takes(profile.sweep_subjects, subject):
            yield self._trial(
                subject,
                topology,
                repeat,
                kind="sleep",
                duration_ms=max(profile.sweep_durations_ms),
                scenario="duration_sweep",
                rate_per_s=profile.sweep_rate_per_s,
                seconds=profile.sweep_step_s * len(profile.sweep_durations_ms),
                options=["--durations", ",".join(f"{value:g}" for value in profile.sweep_durations_ms)],
            )
        if takes(profile.burst_subjects, subject):
            duration_ms = profile.durations_ms[0]
            limit = self.ceiling(subject, "sleep", duration_ms, topology) or profile.max_rate_per_s
            spike = min(profile.burst_spike * limit, profile.max_rate_per_s)
            yield self._trial(
                subject,
                topology,
                repeat,
                kind="sleep",
                duration_ms=duration_ms,
                scenario="burst",
                rate_per_s=float(f"{profile.burst_base * min(limit, spike):.3g}"),
                seconds=profile.burst_s,
                options=["--burst-rate", f"{spike:.3g}", "--burst-seconds", f"{profile.burst_s / 4:g}"],
            )

    def _trial(
        self, subject: str, topology: str, repeat: int, *, options: Sequence[str] = (), **given: object
    ) -> Plan:
        fields = {
            "trial_id": "",
            "subject": subject,
            "topology": topology,
            "repeat": repeat,
            "seed": self.seed + repeat,
            "bystander_per_s": self.profile.bystander_per_s,
            "options": [*options, *self.traffic.options],
            **given,
        }
        return msgspec.convert(fields, Plan)


def numbered(plan: Plan, number: int) -> Plan:
    """Return the plan with the id of the campaign's trial of that number."""
    where = "" if plan.topology == "one-box" else f"-{plan.topology}"
    load = f"{plan.scenario}-{plan.kind}-{plan.duration_ms:g}ms-{plan.rate_per_s:g}per_s{where}"
    name = f"{number:04d}-{plan.subject.replace('/', '-')}-{plan.drill or load}-r{plan.repeat}"
    return msgspec.structs.replace(plan, trial_id=name)
