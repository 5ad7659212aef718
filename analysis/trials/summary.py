"""The tidy summary: one row a step of a trial, everything that the charts and the words are made of."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.queueing import saturation_rate, utilisation
from analysis.trials.cores import usable_cores
from analysis.trials.generators import generated
from analysis.trials.load import Frames, Measured
from analysis.trials.questions import judged
from analysis.trials.request_columns import request_columns
from analysis.trials.resource_columns import noise_columns, resource_columns
from analysis.trials.step_rows import StepRows, step_rows
from analysis.trials.task_columns import backlog_columns, count_columns, throughput_columns, work_columns
from results.load import Step
from results.schema import Manifest, Service, Trial


def summarise(frames: Frames, manifest: Manifest, *, p99_intervals: bool = True) -> pd.DataFrame:
    """Return one row for each step of a trial; rows due in a step's warm-up are cut.

    Names carry their unit. A percentile `x_p99_ms` has a flag `x_p99_at_least` beside it: some of its
    samples never ended and count with the lower bound that is known of them, so that the true value may
    be higher. Invalid trials are here too (`valid` False, with `reasons`), for the reader to leave out.
    Without `p99_intervals` those of the percentiles are NaN, which no verdict reads, in a tenth of the time.
    """
    rows = [
        _row(frames, manifest, step_rows(frames, index), p99_intervals)
        for index in range(len(frames.trial.load.steps))
    ]
    return pd.DataFrame(rows)


def summarise_campaign(measured: Measured, manifest: Manifest) -> pd.DataFrame:
    """Return the rows of all trials but drills, without `p99_intervals`; empty where there are none."""
    summaries = [
        summarise(frames, manifest, p99_intervals=False)
        for frames in measured.frames()
        if not frames.trial.plan.drill
    ]
    return pd.concat(summaries, ignore_index=True) if summaries else pd.DataFrame()


def _row(frames: Frames, manifest: Manifest, rows: StepRows, p99_intervals: bool) -> dict[str, Any]:
    trial, subject = frames.trial, frames.subject
    row = (
        _identity(frames, rows)
        | _offer(frames, manifest, rows)
        | _conduct(trial, rows.step)
        | generated(trial.load.generators, trial.target_host)
        | count_columns(rows)
        | throughput_columns(frames, rows)
        | request_columns(rows, manifest.limit_ms, p99_intervals=p99_intervals)
        | work_columns(frames, rows)
        | backlog_columns(frames, rows, _service(frames))
        | resource_columns(frames.resources, rows.step)
        | {"unaccounted": trial.accounts.unaccounted if subject.completions == "ledger" else 0}
        | noise_columns(trial)
    )
    return row | judged(row, manifest.limit_ms)


def _identity(frames: Frames, rows: StepRows) -> dict[str, Any]:
    """Return which step of which trial it is, and of what."""
    trial, subject = frames.trial, frames.subject
    return {
        "trial_id": trial.plan.trial_id,
        "attempt": trial.attempt,
        "repeat": trial.plan.repeat,
        "strategy": subject.strategy,
        "variant": subject.variant,
        "kind": trial.load.kind,
        "duration_ms": rows.step.duration_ms,
        "topology": trial.plan.topology,
        "scenario": trial.load.scenario,
        "closed": trial.load.closed,
        "step": rows.index,
        "seconds": rows.seconds,
    }


def _offer(frames: Frames, manifest: Manifest, rows: StepRows) -> dict[str, Any]:
    """Return what was offered, and to how much capacity."""
    offered_per_s = rows.step.rate_per_s * rows.parts
    service, ceiling_per_s = _service(frames), _ceiling(frames, manifest, rows.step)
    return {
        "offered_per_s": offered_per_s,
        "ceiling_per_s": np.nan if ceiling_per_s is None else ceiling_per_s,
        "rho": np.nan if ceiling_per_s is None else utilisation(offered_per_s, ceiling_per_s),
        "slots": service.slots if service else 0,
        "web_processes": manifest.web_processes,
    }


def _conduct(trial: Trial, step: Step) -> dict[str, Any]:
    """Return how the trial went, and whether it counts."""
    return {
        "busiest_web_share": trial.spread[0] / max(sum(trial.spread), 1) if trial.spread else np.nan,
        "valid": trial.valid,
        "reasons": "; ".join(trial.reasons),
        "stopped_early": trial.stopped_early,
        "slip_p99_ms": trial.load.slip_p99_ms,
        "load_s": (step.to_ns - step.from_ns) / 1e9,
    }


def _service(frames: Frames) -> Service | None:
    """Return how the trial's tasks were served; a manifest knows that of the first topology only."""
    return frames.trial.service or frames.subject.services.get(frames.trial.load.kind)


def _ceiling(frames: Frames, manifest: Manifest, step: Step) -> float | None:
    """Return the ceiling in tasks/s: the trial's own, else (a sweep's other durations) that of the law."""
    plan, load = frames.trial.plan, frames.trial.load
    if step.duration_ms == plan.duration_ms:
        return frames.trial.ceiling_per_s
    service = _service(frames)
    if service is None:
        return None
    cores = usable_cores(manifest, plan.topology, "worker" if frames.subject.workers else "web")
    return saturation_rate(service, load.kind, step.duration_ms, cores, load.lasting)
