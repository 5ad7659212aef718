"""Runs a search: which point has its turn, which trial comes next, and when it is enough."""

import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from analysis.queueing.expected import expected_blocking, expected_saturation
from analysis.trials.brackets import Bracket, bracket
from analysis.trials.load import read_trial
from analysis.trials.point_table import interval
from analysis.trials.summary import summarise
from harness.campaign.grid import named
from harness.campaign.progress import Progress, result
from harness.campaign.runner import expected_s
from harness.campaign.session import Session, Stacks
from harness.search.policy import Goal, Sighting, next_rate, verdicts
from harness.search.profiles import SearchProfile, search_seconds
from results.schema import Plan, Point, Trial
from results.store import Campaign

GIVE_UP = 2
"""trials of a point that could not be measured at all, before it is left"""
OVERTAXED = ("shed", "rate", "cpu", "sockets")
"""reasons of the gate that a higher rate can only make worse"""
Step = tuple[Plan, int]
"""the next trial and which try at it this is, from 1"""


@dataclass
class Pursuit:
    """One point and all trials that were made for it."""

    point: Point
    sightings: list[Sighting] = field(default_factory=list)
    last: Trial | None = None
    refused: list[Trial] = field(default_factory=list)
    """invalid trials whose tries are used up"""
    failures: int = 0

    def brackets(self) -> tuple[Bracket, Bracket]:
        """Return where it blocks, and where it falls behind."""
        behind, blocked = verdicts(self.sightings)
        return bracket(blocked), bracket(behind)


class Hunt:
    """A search over all points of a campaign."""

    def __init__(
        self, session: Session, campaign: Campaign, profile: SearchProfile, progress: Progress
    ) -> None:
        self._session = session
        self._campaign = campaign
        self._profile = profile
        self._progress = progress
        self._pursuits = [Pursuit(point) for point in campaign.manifest.points]
        self._number = 0
        self._until = time.monotonic() + profile.budget_s
        for trial in campaign.trials():
            for pursuit in self._pursuits:
                if pursuit.point.covers(trial.plan):
                    self._note(pursuit, trial)

    def run(self) -> None:
        """Give every subject its turns until all points are found, or the time is up.

        The first round is in random order, the later ones begin where the answer is widest.
        """
        self._campaign.discard_partial()
        shuffle = random.Random(self._campaign.manifest.seed).shuffle
        for turn in itertools.count():
            groups = self._groups()
            if not groups:
                return
            if turn:
                groups.sort(key=lambda group: -max(self._width(pursuit) for pursuit in group))
            else:
                shuffle(groups)
            for group in groups:
                self._take_turn(group)

    def _groups(self) -> list[list[Pursuit]]:
        """Return the pursuits with something left to do, by the target that they need."""
        groups: dict[tuple[str, str], list[Pursuit]] = {}
        for pursuit in self._pursuits:
            if self._next(pursuit):
                groups.setdefault((pursuit.point.subject, pursuit.point.topology), []).append(pursuit)
        return list(groups.values())

    def _take_turn(self, group: Sequence[Pursuit]) -> None:
        """Run a few trials of each point on one target."""
        with Stacks(self._session, self._campaign) as stacks:
            for pursuit in group:
                for plan, attempt in self._steps(pursuit):
                    self._progress.begin(plan)
                    trial = stacks.measure(plan, attempt, self._progress)
                    if trial is None:
                        pursuit.failures += 1
                        continue
                    self._note(pursuit, trial)
                    self._progress.sealed(plan, self._outcome(pursuit, trial), expected_s(plan))

    def _steps(self, pursuit: Pursuit) -> Iterator[Step]:
        for _ in range(self._profile.turn):
            step = self._next(pursuit)
            if step is None:
                return
            yield step

    def _next(self, pursuit: Pursuit) -> Step | None:
        """Return a point's next trial; None where it is found, or cannot be found here in the time left."""
        step = self._wanted(pursuit)
        return step if step and time.monotonic() + expected_s(step[0]) <= self._until else None

    def _wanted(self, pursuit: Pursuit) -> Step | None:
        """Return the trial that would tell most of a point."""
        last, point = pursuit.last, pursuit.point
        if pursuit.failures >= GIVE_UP or len(pursuit.sightings) >= self._profile.max_trials:
            return None
        if last and not last.valid and last not in pursuit.refused:
            return last.plan, last.attempt + 1
        rate = next_rate(self._goal(pursuit), pursuit.sightings)
        rate = rate and float(f"{rate:.4g}")
        if not rate or any(trial.plan.rate_per_s == rate for trial in pursuit.refused):
            return None
        plan = Plan(
            trial_id="",
            subject=point.subject,
            kind=point.kind,
            duration_ms=point.duration_ms,
            scenario="steady",
            rate_per_s=rate,
            seconds=search_seconds(point, rate),
            seed=self._campaign.manifest.seed + len(pursuit.sightings),
            repeat=sum(sighting.rate_per_s == rate for sighting in pursuit.sightings),
            topology=point.topology,
            bystander_per_s=point.bystander_per_s,
        )
        return named(plan, self._number + 1), 1

    def _goal(self, pursuit: Pursuit) -> Goal:
        point, manifest = pursuit.point, self._campaign.manifest
        saturation, blocking = self._expected(point)
        goal = Goal(
            precision=manifest.precision,
            lowest_per_s=point.lowest_per_s,
            highest_per_s=point.highest_per_s,
            saturation_per_s=saturation,
            blocking_per_s=blocking,
            patience=self._profile.patience,
        )
        too_much = [t.plan.rate_per_s for t in pursuit.refused if any(map(_overtaxed, t.reasons))]
        return replace(goal, highest_per_s=min(too_much) / manifest.precision) if too_much else goal

    def _expected(self, point: Point) -> tuple[float | None, float | None]:
        """Return what theory expects; that a computing task never gives way is not built on."""
        if not (self._profile.predict and point.kind == "sleep"):
            return point.saturation_per_s, point.blocking_per_s
        manifest = self._campaign.manifest
        subject = manifest.subject(point.subject)
        return expected_saturation(point, subject), expected_blocking(point, subject, manifest.limit_ms)

    def _note(self, pursuit: Pursuit, trial: Trial) -> None:
        """Take a sealed trial into account."""
        number = trial.plan.trial_id.partition("-")[0]
        self._number = max(self._number, int(number) if number.isdecimal() else 0)
        pursuit.last = trial
        if trial.valid:
            pursuit.sightings.append(self._sighting(trial))
        elif trial.attempt >= self._profile.attempts:
            pursuit.refused.append(trial)

    def _sighting(self, trial: Trial) -> Sighting:
        manifest = self._campaign.manifest
        (row,) = summarise(read_trial(self._campaign, trial), manifest).to_dict("records")
        return Sighting(
            rate_per_s=trial.plan.rate_per_s,
            blocked=bool(row["blocked"]),
            blocked_certain=bool(row["blocked_certain"]),
            behind=bool(row["behind"]),
            behind_certain=bool(row["behind_certain"]),
            completions_per_s=float(row["completion_slope_per_s"]),
        )

    def _width(self, pursuit: Pursuit) -> float:
        return max(found.width for found in pursuit.brackets())

    def _outcome(self, pursuit: Pursuit, trial: Trial) -> str:
        blocks, behind = pursuit.brackets()
        so_far = f"blocks {interval(blocks)}, falls behind {interval(behind)}"
        cut = f" · stopped early: {trial.stopped_early}" if trial.stopped_early else ""
        return f"{result(self._campaign, trial)}{cut} → {so_far}"


def _overtaxed(reason: str) -> bool:
    return reason.partition(":")[0] in OVERTAXED
