"""What poisonous tasks did: those that raise at every attempt, and those that kill their process."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.drills.audit import Audited
from analysis.drills.matrix import about
from results.errors import BlockpointError
from results.terms import Fate, Moment

EVERY: Final = 5
"""the load's default for `--poison-every`"""
_OTHERS: Final = (Fate.LOST, Fate.STARTED_TWICE, Fate.COMPLETED_TWICE, Fate.FAILED, Fate.HELD)


def poison_row(audited: Audited, jobs: int) -> dict[str, Any] | None:
    """Return what became of a trial's poisonous tasks and of the others; None where none was poisonous.

    `poison` is `raise` or `kill`. Of accepted poisonous tasks: their number, `starts_*` a task,
    `backoff_*_ms` from a failure to the next start (NaN without a retry), and the number of each fate that
    occurred, named `poisoned_FATE`. Of the other accepted tasks `others`, with `others_FATE` and
    `others_hidden_at_rest`: what went down with the poisonous ones.
    """
    poison = _option(audited, "--poison")
    if not poison:
        return None
    every = _option(audited, "--poison-every") or str(EVERY)
    if not every.isdigit() or int(every) < 1:
        raise BlockpointError(f"trial {audited.trial.plan.trial_id}: --poison-every {every!r} is no number")
    verdicts = audited.verdicts
    spoilt = audited.requests["arrival"].to_numpy() % int(every) == int(every) - 1
    theirs, others = verdicts.accepted & spoilt, verdicts.accepted & ~spoilt
    starts = verdicts.attempts[theirs]
    gaps = backoffs_ms(audited.events, audited.requests["task_id"].to_numpy()[theirs])
    return {
        **about(audited.trial, audited.subject, jobs),
        "poison": poison,
        "max_attempts": audited.subject.max_attempts,
        "deaths": audited.incident.deaths,
        "poisoned": int(theirs.sum()),
        "starts": int(starts.sum()),
        "starts_min": int(starts.min()) if len(starts) else np.nan,
        "starts_median": float(np.median(starts)) if len(starts) else np.nan,
        "starts_max": int(starts.max()) if len(starts) else np.nan,
        "backoffs": len(gaps),
        "backoff_median_ms": float(np.median(gaps)) if len(gaps) else np.nan,
        "backoff_max_ms": float(gaps.max()) if len(gaps) else np.nan,
        **{f"poisoned_{fate.label}": int((verdicts.fate[theirs] == fate).sum()) for fate in Fate},
        "others": int(others.sum()),
        **{f"others_{fate.label}": int((verdicts.fate[others] == fate).sum()) for fate in _OTHERS},
        "others_hidden_at_rest": int((verdicts.hidden & others).sum()),
    }


def backoffs_ms(events: pd.DataFrame, task_ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """Return the time from each failure of these tasks to their next start, where there is one."""
    runs = events[
        events["task_id"].isin(task_ids) & events["moment"].isin([Moment.STARTED, Moment.FAILED])
    ].sort_values(["task_id", "at_ns", "moment"], kind="stable")
    moment, task = runs["moment"].to_numpy(), runs["task_id"].to_numpy()
    again = (moment[:-1] == Moment.FAILED) & (moment[1:] == Moment.STARTED) & (task[:-1] == task[1:])
    gaps: npt.NDArray[np.float64] = np.diff(runs["at_ns"].to_numpy())[again] / 1e6
    return gaps


def poison_table(rows: pd.DataFrame, poison: str) -> pd.DataFrame:
    """Return one row a subject, of the trials that count.

    Counts are summed, `backoff_median_ms` is the median of the trials' medians, and the least and greatest
    are over all of them.
    """
    if rows.empty:
        return pd.DataFrame()
    own = rows[(rows["poison"] == poison) & rows["valid"].astype(bool)]
    counted = [name for name in own if str(name).startswith(("poisoned", "others"))]
    counted += ["starts", "deaths", "backoffs"]
    how = dict.fromkeys(counted, "sum") | {
        "max_attempts": "max",
        "starts_min": "min",
        "starts_max": "max",
        "backoff_median_ms": "median",
        "backoff_max_ms": "max",
        "trial_id": "count",
    }
    keys = ["drill", "subject", "strategy", "variant"]
    found = own.groupby(keys, sort=False).agg(how).reset_index()
    found["starts_mean"] = found["starts"] / found["poisoned"].replace(0, np.nan)
    return found.rename(columns={"trial_id": "repeats"})


def _option(audited: Audited, name: str) -> str:
    options = audited.trial.plan.options
    place = options.index(name) + 1 if name in options else len(options)
    return options[place] if place < len(options) else ""
