"""What long tasks do to short ones that stand behind them (head-of-line blocking)."""

from typing import Final

import numpy as np
import pandas as pd

from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.report.half_load import Step, rate, waited
from analysis.report.needs import Sources
from analysis.report.reach import Condition
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.points import at_rates
from analysis.trials.questions import QUESTIONS, SATURATION

_FIGURES: Final = ("queue_wait_p99", "completion_p50", "completion_p99")
_LABELS: Final = ("wait p99", "done p50", "done p99", "over its length")


def lengths(sources: Sources, condition: Condition) -> list[Table]:
    """Return one table of a mix: short and long tasks apart, at the highest rate that was kept up with."""
    law = sources.manifest.traffic.lasting
    if not law.mix:
        return []
    of = dict(zip(("short", "long"), law.lengths(condition.duration_ms), strict=True))
    rows = []
    for strategy, variant, own in subjects(_kept_up(sources.summary, condition)):
        step = _highest(own)
        cells = (cell for name, length_ms in of.items() for cell in _cells(step, name, length_ms))
        rows.append(Row(strategy, variant, [rate(step), *cells]))
    columns = [Column("Rate")]
    for name, length_ms in of.items():
        columns += [Column(label, f"{name}: {milliseconds(length_ms)}") for label in _LABELS]
    caption = "Nine short tasks to a long one in the same slots, at the highest rate that was kept up with"
    return [Table("lengths", caption, columns, rows)] if rows else []


def _highest(own: pd.DataFrame) -> Step:
    chosen = own.iloc[int(own["offered_per_s"].to_numpy(float).argmax())]
    return {**chosen.to_dict(), "place": chosen.name}


def _kept_up(summary: pd.DataFrame, condition: Condition) -> pd.DataFrame:
    rows = summary[summary["valid"].astype(bool) & ~summary["closed"].astype(bool)]
    rows = condition.of(at_rates(rows)) if len(rows) else rows
    return rows[~rows[QUESTIONS[SATURATION].column].astype(bool)]


def _cells(step: Step, name: str, length_ms: float) -> list[Value]:
    stretched = float(step[f"{name}_completion_p99_ms"]) / length_ms if length_ms else np.nan
    known = np.isfinite(stretched)
    times = Value(f"{number(stretched)} times", sort=stretched) if known else Value(NOTHING)
    return [*(waited(step, f"{name}_{figure}") for figure in _FIGURES), times]
