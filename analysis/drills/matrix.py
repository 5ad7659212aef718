"""What drills cost: one row a trial, and the matrix of strategies by drills."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.drills.audit import Audited
from analysis.drills.intervals import share_interval
from analysis.order import order
from results.schema import Manifest, Subject, Trial
from results.terms import Fate

DRILLS: Final = (
    "kill-web",
    "stop-web",
    "kill-web-worker",
    "kill-worker",
    "kill-child",
    "stop-worker",
    "kill-broker",
    "kill-broker-aof",
    "hang-broker",
    "client-reset",
    "slow-start",
    "too-short-window",
    "poison-raise",
    "poison-kill",
)
"""in the order in which pages show them; others follow"""
_SUMMED: Final = ("scheduled", "accepted", "hidden_at_rest", "in_flight", "lost_in_flight", "deaths")


def trial_row(audited: Audited, jobs: int) -> dict[str, Any]:
    """Return a drill's trial as one row: what was broken, and the number of tasks of each fate.

    `hidden_at_rest` counts the accepted tasks that waited for a window, whatever became of them then, while
    `hidden` are those of them that completed once and started once. `in_flight` are accepted tasks under
    way when the fault began, `lost_in_flight` those of them that were lost: NaN where it lasts for the
    whole load.
    """
    trial, incident, verdicts = audited.trial, audited.incident, audited.verdicts
    lost = verdicts.accepted & (verdicts.fate == Fate.LOST)
    struck = not audited.lasting
    return {
        **about(trial, audited.subject, jobs),
        "scheduled": len(verdicts.fate),
        "accepted": int(verdicts.accepted.sum()),
        **{fate.label: incident.fates.get(fate.label, 0) for fate in Fate},
        "in_flight": verdicts.under_way(incident.from_ns) if struck else np.nan,
        "lost_in_flight": int((lost & (verdicts.known_ns <= incident.from_ns)).sum()) if struck else np.nan,
        "hidden_at_rest": incident.hidden,
        "hidden_until_s": np.nan if incident.hidden_until_s is None else incident.hidden_until_s,
        "window_s": incident.window_s,
        "default_window_s": incident.default_window_s,
        "hastened": incident.hastened,
        "fault_s": (incident.to_ns - incident.from_ns) / 1e9,
        "watched_s": (incident.horizon_ns - incident.from_ns) / 1e9,
        "deaths": incident.deaths,
        "exited": " ".join(incident.exited),
        "summary": incident.summary,
        "trigger": incident.trigger,
    }


def refused_row(trial: Trial, subject: Subject, jobs: int) -> dict[str, Any]:
    """Return the row of a trial that was refused before it broke anything."""
    return about(trial, subject, jobs)


def about(trial: Trial, subject: Subject, jobs: int) -> dict[str, Any]:
    """Return which trial a row is of."""
    plan = trial.plan
    return {
        "trial_id": plan.trial_id,
        "attempt": trial.attempt,
        "drill": plan.drill,
        "subject": plan.subject,
        "strategy": subject.strategy,
        "variant": subject.variant,
        "repeat": plan.repeat,
        "seed": plan.seed,
        "lanes": jobs,
        "valid": trial.valid,
        "reasons": "; ".join(trial.reasons),
    }


def drills_in_order(names: Sequence[str]) -> list[str]:
    """Return the names of drills as pages show them, each once."""
    known = {name: place for place, name in enumerate(DRILLS)}
    return sorted(set(names), key=lambda name: (known.get(name, len(known)), name))


def subjects_in_order(manifest: Manifest) -> list[Subject]:
    """Return the subjects as charts show them: by strategy, from as shipped to durable."""
    return sorted(manifest.subjects, key=lambda s: order(s.strategy, s.variant))


def matrix(trials: pd.DataFrame, manifest: Manifest) -> pd.DataFrame:
    """Return one row for each drill and subject that met: sums over the trials that count.

    `twice` is `started_twice` + `completed_twice`; `lost_share` is of the accepted tasks, with its 95 %
    interval over repeats (`share_interval`); `lost_of_in_flight` of those under way at the fault.
    `hidden_until_s`, `window_s` and `default_window_s` are the longest. `refused` counts trials that do not
    count. Pairs that never met have no row, and a pair of which every trial was refused has NaN for sums.
    """
    rows = [
        _cell(drill, subject, own)
        for drill in drills_in_order(list(trials["drill"]))
        for subject in subjects_in_order(manifest)
        if len(own := trials[(trials["drill"] == drill) & (trials["subject"] == subject.key)])
    ]
    return pd.DataFrame(rows)


def _cell(drill: str, subject: Subject, own: pd.DataFrame) -> dict[str, Any]:
    valid = own[own["valid"].astype(bool)]
    row: dict[str, Any] = {
        "drill": drill,
        "subject": subject.key,
        "strategy": subject.strategy,
        "variant": subject.variant,
        "workers": subject.workers,
        "repeats": len(valid),
        "refused": len(own) - len(valid),
    }
    names = [*(fate.label for fate in Fate), *_SUMMED]
    sums = {name: _total(valid, name) for name in names}
    row |= sums | {"twice": sums[Fate.STARTED_TWICE.label] + sums[Fate.COMPLETED_TWICE.label]}
    low, high = np.nan, np.nan
    if len(valid):
        low, high = share_interval(valid["lost"].to_numpy(np.int64), valid["accepted"].to_numpy(np.int64))
    row |= {
        "lost_share": _ratio(sums["lost"], sums["accepted"]),
        "lost_share_low": low,
        "lost_share_high": high,
        "lost_of_in_flight": _ratio(sums["lost_in_flight"], sums["in_flight"]),
    }
    longest = ("hidden_until_s", "window_s", "default_window_s")
    row |= {name: valid[name].max() if name in valid and len(valid) else np.nan for name in longest}
    row["hastened"] = int(valid["hastened"].sum()) if len(valid) else 0
    row["exited"] = " ".join(sorted({role for roles in _texts(valid, "exited") for role in roles.split()}))
    row["summary"] = next((text for text in _texts(own, "summary") if text), "")
    row["trigger"] = next((text for text in _texts(own, "trigger") if text), "")
    return row


def cells(table: pd.DataFrame) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """Return the rows of a matrix by subject and drill."""
    return {(row["subject"], row["drill"]): row for row in records(table)}


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _texts(rows: pd.DataFrame, name: str) -> list[str]:
    return [str(value) for value in rows[name].dropna()] if name in rows else []


def _total(rows: pd.DataFrame, name: str) -> float:
    """Return a column's sum; NaN where no row has a value."""
    return float(rows[name].sum(min_count=1)) if name in rows and len(rows) else np.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
