"""What became of the tasks of drills, counted by fate for each drill and subject, for programs."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from results.schema import Trial
from results.terms import Fate


def strays(trials: Iterable[Trial]) -> list[Trial]:
    """Return the drills with a task that nothing accounts for."""
    return [trial for trial in trials if trial.incident and trial.incident.fates[Fate.UNACCOUNTED.label]]


def drill_documents(trials: Iterable[Trial]) -> list[dict[str, Any]]:
    """Return an entry for each drill and subject; only drills that count are counted."""
    ordered = sorted(trials, key=_key)
    return [_counted(*key, list(own)) for key, own in itertools.groupby(ordered, _key)]


def _key(trial: Trial) -> tuple[str, str]:
    return trial.plan.drill, trial.plan.subject


def _counted(drill: str, subject: str, trials: Sequence[Trial]) -> dict[str, Any]:
    counting = [trial for trial in trials if trial.valid]
    fates = [trial.incident.fates for trial in counting if trial.incident]
    return {
        "drill": drill,
        "subject": subject,
        "repeats": len(counting),
        "repeats_that_do_not_count": len(trials) - len(counting),
        "accepted_tasks": sum(trial.accounts.accepted for trial in counting),
        "tasks_by_fate": {fate.label: sum(each.get(fate.label, 0) for each in fates) for fate in Fate},
    }
