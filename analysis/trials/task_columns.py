"""What the tasks of a step say, as columns of a row of the summary: fates, times and backlog."""

from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.trials import backlog
from analysis.trials.load import Frames
from analysis.trials.percentile_columns import percentile_columns
from analysis.trials.step_rows import StepRows
from results.load import Load
from results.schema import Service, Subject
from results.terms import KINDS_RECORDED, NEVER, Outcome

_OF_THE_BACKLOG: Final = (
    "completion_slope_per_s",
    *(f"backlog_{part}" for part in ("growth", "growth_low", "growth_high", "mean", "end")),
)
_EVERY: Final = ("queue_wait", "service", "completion")


def count_columns(rows: StepRows) -> dict[str, Any]:
    """Return how many tasks were due and what became of them."""
    tasks = rows.tasks
    outcome = tasks["outcome"].to_numpy()
    finished = tasks["finished_ns"].to_numpy() != NEVER
    failed = (tasks["failed_ns"].to_numpy() != NEVER) & ~finished
    accepted = outcome == Outcome.ACCEPTED
    sent = int((outcome != Outcome.SHED).sum())
    return {
        "due": len(tasks),
        "achieved": sent / len(tasks) if len(tasks) else np.nan,
        "due_per_s": len(tasks) / rows.seconds if rows.seconds else np.nan,
        "requests": len(tasks) // rows.parts,
        "accepted": int(accepted.sum()),
        "rejected": int((outcome == Outcome.REJECTED).sum()),
        "refused": int((outcome == Outcome.REFUSED).sum()),
        "unknown": int((outcome == Outcome.UNKNOWN).sum()),
        "shed": int((outcome == Outcome.SHED).sum()),
        "finished": int((finished & accepted).sum()),
        "failed": int((failed & accepted).sum()),
        "retried": int((tasks["attempts"].to_numpy() > 1).sum()),
    }


def throughput_columns(frames: Frames, rows: StepRows) -> dict[str, Any]:
    """Return how many tasks finished in each second that was measured, whenever they were due."""
    step, every = rows.step, frames.trial.load.followed_every
    finished = frames.tasks["finished_ns"].to_numpy()
    inside = (finished >= step.measure_from_ns) & (finished < step.to_ns)
    return {"completed_per_s": every * inside.sum() / rows.seconds if rows.seconds else np.nan}


def work_columns(frames: Frames, rows: StepRows) -> dict[str, Any]:
    """Return queue wait, service and completion; of a mix those of its short and its long tasks, too."""
    trial = frames.trial
    columns = _work(_followed(rows.tasks, trial.load), trial.drained_ns, _seen(frames.subject))
    if not trial.load.mix:
        return columns
    long = rows.tasks["duration_ms"].to_numpy() > rows.step.duration_ms
    for name, own in (("short", rows.tasks[~long]), ("long", rows.tasks[long])):
        apart = _work(own, trial.drained_ns, _EVERY)
        columns |= {f"{name}_{column}": value for column, value in apart.items()}
    return columns


def _work(tasks: pd.DataFrame, drained_ns: int, seen: tuple[str, ...]) -> dict[str, Any]:
    """Return those of the tasks that were accepted and did not fail."""
    failed = (tasks["failed_ns"].to_numpy() != NEVER) & (tasks["finished_ns"].to_numpy() == NEVER)
    kept = tasks[(tasks["outcome"].to_numpy() == Outcome.ACCEPTED) & ~failed]
    columns: dict[str, Any] = {}
    for name, since in (("queue_wait", "accepted_ns"), ("service", "started_ns"), ("completion", "due_ns")):
        values = kept[f"{name}_ms"].to_numpy()
        start = kept[since].to_numpy()
        open_ended = np.isnan(values) & (start != NEVER) & (name in seen)
        bounds_ms = np.maximum(drained_ns - start[open_ended], 0) / 1e6
        columns |= percentile_columns(name, values[~np.isnan(values)], bounds_ms)
    return columns


def backlog_columns(frames: Frames, rows: StepRows, service: Service | None) -> dict[str, Any]:
    """Return how the backlog grew, NaN where no completion is seen."""
    load, step = frames.trial.load, rows.step
    if frames.subject.completions == "none":
        return dict.fromkeys(_OF_THE_BACKLOG, np.nan) | {"behind": False, "behind_certain": False}
    tasks = _followed(frames.tasks, load)
    found = backlog.measure(
        tasks,
        step,
        step.rate_per_s * rows.parts / load.followed_every,
        held=KINDS_RECORDED[load.kind].held,
        tick_s=service.poll_s if service else 0.0,
        lasting=load.lasting,
    )
    return {
        "completion_slope_per_s": load.followed_every * backlog.completion_slope(tasks, step),
        "backlog_growth": found.growth,
        "backlog_growth_low": found.growth_low,
        "backlog_growth_high": found.growth_high,
        "backlog_mean": found.mean,
        "backlog_end": found.end,
        "behind": found.behind,
        "behind_certain": found.certain,
    }


def _seen(subject: Subject) -> tuple[str, ...]:
    """Return the intervals of a task whose ends are seen."""
    end = ("completion",)
    return {"ledger": _EVERY, "poll": end, "webhook": end, "none": ()}[subject.completions]


def _followed(tasks: pd.DataFrame, load: Load) -> pd.DataFrame:
    """Return the tasks that were followed to their end."""
    every = load.followed_every
    return tasks if every == 1 else tasks[tasks["arrival"].to_numpy() % every == 0]
