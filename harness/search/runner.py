"""Runs a search: which point has its turn, which trial comes next, and when it is enough."""

import itertools
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analysis.trials.brackets import Bracket, bracket, covering
from analysis.trials.endings import ending
from analysis.trials.load import read_trial
from analysis.trials.point_table import interval
from analysis.trials.questions import Question, asked_of
from analysis.trials.summary import summarise
from harness.campaign.grid import numbered
from harness.campaign.progress import Progress, result
from harness.campaign.runner import expected_s
from harness.campaign.session import Session, Setup
from harness.search.goal import Goal, Observation, verdicts
from harness.search.policy import next_step
from harness.search.profiles import SearchProfile
from harness.search.trials import observed, planned
from results.schema import Plan, Point, Trial
from results.store import Campaign
from results.terms import KINDS_RECORDED, STAIRS

GIVE_UP = 2
"""trials of a point that could not be measured at all, before it is left"""
OVERTAXED = ("shed", "rate", "cpu", "sockets")
"""reasons of the gate that a higher rate can only make worse"""
Try = tuple[Plan, int]
"""the next trial and which try at it this is, from 1"""


@dataclass
class PointSearch:
    """One point and all trials that were made for it."""

    point: Point
    questions: Mapping[str, Question]
    observations: list[Observation] = field(default_factory=list)
    """a step each"""
    measured: int = 0
    """valid trials"""
    last: Trial | None = None
    refused: list[Trial] = field(default_factory=list)
    """invalid trials whose tries are used up"""
    failures: int = 0

    def brackets(self) -> dict[str, Bracket]:
        """Return between which rates it gives way, by question."""
        answers = {question: verdicts(self.observations, question) for question in self.questions}
        return {question: covering(bracket(own), own) for question, own in answers.items()}

    def told(self, expected_per_s: Mapping[str, float | None], precision: float) -> str:
        """Return the same in words."""
        parts = []
        for name, found in self.brackets().items():
            predicted = expected_per_s[name]
            ended = ending(found, self.point, math.nan if predicted is None else predicted, precision)
            parts.append(f"{self.questions[name].gives_way} {interval(found, ending=ended)}")
        return ", ".join(parts)


class SearchRunner:
    """A search over all points of a campaign."""

    def __init__(self, setup: Setup, campaign: Campaign, profile: SearchProfile, progress: Progress) -> None:
        self._setup = setup
        self._campaign = campaign
        self._profile = profile
        self._progress = progress
        self._searches = [
            PointSearch(point, asked_of(campaign.manifest.subject(point.subject)))
            for point in campaign.manifest.points
        ]
        self._number = 0
        self._sent = 0.0
        """requests in all"""
        self._confirming = False
        """all points are located, as far as they can be: now their edges are made sure"""
        self._until = time.monotonic() + profile.budget_s
        for trial in campaign.trials():
            for search in self._searches:
                if search.point.covers(trial.plan):
                    self._note(search, trial)

    def run(self) -> None:
        """Give every subject its turns until all points are found, or the time is up.

        The first round is in random order, the later ones begin where the answer is widest.
        """
        self._campaign.discard_partial()
        shuffle = random.Random(self._campaign.manifest.seed).shuffle
        for turn in itertools.count():
            self._confirming = False
            groups = self._groups()
            if not groups:
                self._confirming = True
                groups = self._groups()
            if not groups:
                return
            if turn:
                groups.sort(key=lambda group: -max(self._width(search) for search in group))
            else:
                shuffle(groups)
            for group in groups:
                self._take_turn(group)

    def _groups(self) -> list[list[PointSearch]]:
        """Return the searches with something left to do, by the target that they need."""
        groups: dict[tuple[str, str], list[PointSearch]] = {}
        for search in self._searches:
            if self._next(search):
                groups.setdefault((search.point.subject, search.point.topology), []).append(search)
        return list(groups.values())

    def _take_turn(self, group: Sequence[PointSearch]) -> None:
        """Run a few trials of each point on one target."""
        with Session(self._setup, self._campaign) as session:
            for search in group:
                for plan, attempt in self._steps(search):
                    self._progress.begin(plan)
                    trial = session.measure(plan, attempt, self._progress)
                    if trial is None:
                        self._sent += self._requests(plan)
                        search.failures += 1
                        continue
                    self._note(search, trial)
                    self._progress.sealed(plan, self._outcome(search, trial), self._expected_s(plan))

    def _expected_s(self, plan: Plan) -> float:
        return expected_s(plan, self._setup.procedure.overhead_s)

    def _steps(self, search: PointSearch) -> Iterator[Try]:
        for _ in range(self._profile.turn):
            step = self._next(search)
            if step is None:
                return
            yield step

    def _next(self, search: PointSearch) -> Try | None:
        """Return a point's next trial; None where it is found, or cannot be found here in the time left."""
        step = self._wanted(search)
        if step is None or self._sent + self._requests(step[0]) > self._profile.most_requests:
            return None
        return step if time.monotonic() + self._expected_s(step[0]) <= self._until else None

    def _requests(self, plan: Plan) -> float:
        """Return how many requests a trial may send."""
        beside = len(self._campaign.manifest.subject(plan.subject).bystanders)
        return plan.seconds * (plan.rate_per_s + plan.bystander_per_s * beside)

    def _wanted(self, search: PointSearch) -> Try | None:
        """Return the trial that would tell most of a point."""
        last = search.last
        if search.failures >= GIVE_UP or search.measured >= self._profile.max_trials:
            return None
        if last and not last.valid and last not in search.refused:
            return last.plan, last.attempt + 1
        step = next_step(self._goal(search), self._profile.terms, search.observations)
        if step and step.confirms and not self._confirming:
            return None
        if step is None or any(trial.plan.rate_per_s == step.rate_per_s for trial in search.refused):
            return None
        repeat = 0 if step.stairs else sum(o.rate_per_s == step.rate_per_s for o in search.observations)
        seed = self._campaign.manifest.seed + search.measured
        return numbered(planned(search.point, step, seed, repeat), self._number + 1), 1

    def _goal(self, search: PointSearch) -> Goal:
        point, manifest = search.point, self._campaign.manifest
        goal = Goal(
            precision=manifest.precision,
            lowest_per_s=point.lowest_per_s,
            highest_per_s=point.highest_per_s,
            expected_per_s=self._expected(point),
            patience=self._profile.patience,
            blind=bool(manifest.subject(point.subject).asked),
            curves=self._profile.curves
            and not any(trial.plan.scenario == STAIRS for trial in search.refused),
        )
        too_much = [t.plan.rate_per_s for t in search.refused if any(map(_overtaxed, t.reasons))]
        return replace(goal, highest_per_s=min(too_much) / manifest.precision) if too_much else goal

    def _expected(self, point: Point) -> dict[str, float | None]:
        """Return what theory expects; that a computing task never gives way is not built on."""
        manifest = self._campaign.manifest
        subject = manifest.subject(point.subject)
        rates = {name: q.expected(point, subject, manifest.limit_ms) for name, q in asked_of(subject).items()}
        if self._profile.predict and KINDS_RECORDED[point.kind].held:
            return rates
        return {name: None if rate == math.inf else rate for name, rate in rates.items()}

    def _note(self, search: PointSearch, trial: Trial) -> None:
        """Take a sealed trial into account."""
        number = trial.plan.trial_id.partition("-")[0]
        self._number = max(self._number, int(number) if number.isdecimal() else 0)
        search.last = trial
        self._sent += trial.rows["requests"] + trial.rows["bystanders"]
        if trial.valid:
            search.measured += 1
            manifest = self._campaign.manifest
            rows = summarise(read_trial(self._campaign, trial), manifest, p99_intervals=False)
            search.observations += (observed(row, manifest.limit_ms) for row in rows.to_dict("records"))
        elif trial.attempt >= self._profile.attempts:
            search.refused.append(trial)

    def _width(self, search: PointSearch) -> float:
        return max(found.width for found in search.brackets().values())

    def _outcome(self, search: PointSearch, trial: Trial) -> str:
        cut = f" · stopped early: {trial.stopped_early}" if trial.stopped_early else ""
        told = search.told(self._expected(search.point), self._campaign.manifest.precision)
        return f"{result(self._campaign, trial)}{cut} → {told}"


def _overtaxed(reason: str) -> bool:
    return reason.partition(":")[0] in OVERTAXED
