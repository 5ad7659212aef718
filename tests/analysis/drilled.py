"""What published drills found, for tests that hold the documentation's figures against it."""

from collections import Counter
from pathlib import Path

from results.schema import Trial
from results.store import open_campaign
from results.terms import Fate

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
NOT_ACCEPTED = (Fate.REJECTED, Fate.UNKNOWN, Fate.RAN_UNACCEPTED, Fate.SHED)


class Drilled:
    """The drills of one published campaign that count."""

    def __init__(self, name: str) -> None:
        self.campaign = open_campaign(PUBLISHED / name)
        self.trials = [trial for trial in self.campaign.trials() if trial.valid]

    def met(self, drills: tuple[str, ...], subjects: tuple[str, ...]) -> list[Trial]:
        """Return those drills with those subjects, of which `rq` are all variants and an empty string all."""
        return [
            trial
            for trial in self.trials
            if trial.plan.drill in drills and trial.plan.subject.startswith(subjects)
        ]


def fates(trials: list[Trial]) -> Counter[str]:
    """Return how many tasks met each fate."""
    found: Counter[str] = Counter()
    for trial in trials:
        assert trial.incident is not None
        found.update(dict(trial.incident.fates))
    return found


def accepted(trials: list[Trial]) -> int:
    """Return how many tasks were accepted."""
    found = fates(trials)
    return found.total() - sum(found[fate.label] for fate in NOT_ACCEPTED)
