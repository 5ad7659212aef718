"""One side of a comparison: a campaign, or one subject of it, with the points and the runs that it has."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.trials.load import Frames, load_campaign
from analysis.trials.points import find_points
from analysis.trials.summary import summarise
from results.errors import BlockpointError, unknown
from results.failures import read_failures
from results.schema import Manifest
from results.store import campaign_folder
from results.terms import OFFERED_BY_ALL, Outcome, Stream
from results.text import named

Floats = npt.NDArray[np.float64]
Condition = tuple[str, float, str]
"""kind of task, duration in ms and topology"""
BETWEEN: Final = ":"
"""a campaign's name and one of its subjects"""


@dataclass(frozen=True, eq=False)
class Run:
    """One step of a valid trial."""

    subject: str
    condition: Condition
    rate_per_s: float
    seed: int
    behind: bool
    """work piled up, so that waits are as long as the trial"""
    figures: dict[str, Floats]
    """by stream, `completion` or `throughput`: its samples in order of due time, or the figure alone"""


@dataclass(frozen=True)
class Side:
    """A campaign as far as it is compared."""

    name: str
    manifest: Manifest
    subject: str
    """the one that is compared; empty for all"""
    points: pd.DataFrame
    runs: list[Run]

    @property
    def subjects(self) -> list[str]:
        """Return those that are compared."""
        return [self.subject] if self.subject else [each.key for each in self.manifest.subjects]


def read_side(name: str) -> Side:
    """Return `CAMPAIGN` or `CAMPAIGN:STRATEGY/VARIANT`; raises BlockpointError where there is none."""
    folder, subject = _split(name)
    measured = load_campaign(folder)
    manifest = measured.manifest
    known = [each.key for each in manifest.subjects]
    if subject and subject not in known:
        raise unknown(f"subject of {named(folder)}", subject, known)
    summaries, runs = [], []
    for frames in measured.frames():
        if frames.trial.plan.drill or (subject and frames.subject.key != subject):
            continue
        summary = summarise(frames, manifest, p99_intervals=False)
        summaries.append(summary)
        runs += list(_runs(frames, summary))
    if not summaries:
        raise BlockpointError(f"{named(folder)}: holds no trial that could be compared")
    points = find_points(pd.concat(summaries, ignore_index=True), manifest, read_failures(folder))
    return Side(name, manifest, subject, points, runs)


def _split(name: str) -> tuple[Path, str]:
    """Return the folder and the subject; a folder's own name may hold a colon."""
    try:
        return campaign_folder(name), ""
    except BlockpointError:
        campaign, between, subject = name.partition(BETWEEN)
        if not between:
            raise
        return campaign_folder(campaign), subject


def _runs(frames: Frames, summary: pd.DataFrame) -> Iterator[Run]:
    trial = frames.trial
    if not trial.valid or trial.load.closed:
        return
    for index, row in enumerate(summary.to_dict("records")):
        yield Run(
            subject=frames.subject.key,
            condition=(trial.load.kind, float(row["duration_ms"]), trial.plan.topology),
            rate_per_s=float(row["offered_per_s"]),
            seed=trial.plan.seed,
            behind=bool(row["behind"]),
            figures=step_figures(frames, index) | {"throughput": np.array([float(row["completed_per_s"])])},
        )


def step_figures(frames: Frames, index: int) -> dict[str, Floats]:
    """Return the latencies in ms of what was due in a step after its warm-up.

    A request without an answer, and a task without an end, count as late as is known of them.
    """
    step = frames.trial.load.steps[index]
    tasks, others = (_due(rows, index, step.measure_from_ns) for rows in (frames.tasks, frames.bystanders))
    known_ms = (frames.trial.drained_ns - tasks["due_ns"].to_numpy()) / 1e6
    return {
        Stream.TASKS.column: _whole(tasks["accept_ms"], tasks["bound_ms"]),
        "completion": _whole(tasks["completion_ms"], known_ms),
        **{
            each.column: _whole(own["latency_ms"], own["bound_ms"])
            for each in OFFERED_BY_ALL
            for own in [others[others["stream"].to_numpy() == each]]
        },
    }


def _due(rows: pd.DataFrame, index: int, from_ns: int) -> pd.DataFrame:
    waited = np.isin(rows["outcome"].to_numpy(), (Outcome.ACCEPTED, Outcome.UNKNOWN))
    own = rows[waited & (rows["step"].to_numpy() == index) & (rows["due_ns"].to_numpy() >= from_ns)]
    return pd.DataFrame(own.sort_values("due_ns", kind="stable"))


def _whole(latency_ms: pd.Series, known_ms: pd.Series | Floats) -> Floats:
    found = latency_ms.to_numpy(float)
    return np.where(np.isnan(found), np.asarray(known_ms, float), found)
