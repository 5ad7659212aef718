"""Every row of the summary as the page shows it: what all the rest was made from."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pandas as pd

from analysis.format import milliseconds, number
from analysis.report.half_load import row_anchor
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.streams import bystanders_in
from results.terms import ENOUGH_FOR_P99, Stream, pattern_of

MOST: Final = 2_000
"""rows on a page; all of them are in `derived/summary.csv`"""
_TROUBLES: Final = {
    "rejected": "rejected",
    "unknown": "unanswered",
    "failed": "failed",
    "unaccounted": "unaccounted for",
}


def all_rows(summary: pd.DataFrame, limit_ms: float) -> Table:
    """Return the summary's rows with the percentiles as text.

    `≥` stands before those with open samples, `of n` behind a p99 of so few that it is their maximum.
    """
    others = bystanders_in(summary)
    columns = [Column("Scenario", numeric=False), Column("Tasks", numeric=False)]
    columns += [
        Column(each)
        for each in ("Offered /s", "\N{GREEK SMALL LETTER RHO}", "Completed /s", "Accept p50", "Accept p99")
    ]
    columns += [Column(f"{stream.latency} p99") for stream in others]
    columns += [Column(each) for each in ("Samples", "Queue wait p50", "Queue wait p99", "Completion p99")]
    columns += [Column(each) for each in ("Backlog growth", "Backlog at end", "Max loop lag")]
    columns += [Column("Notes", numeric=False)]
    records = zip(summary.index, summary.to_dict("records"), strict=True)
    rows = [_row(int(str(place)), record, limit_ms, others) for place, record in records]
    return Table("rows", "One row a step of a trial, warm-up cut", columns, rows[:MOST])


def _row(place: int, row: Mapping[Any, Any], limit_ms: float, others: list[Stream]) -> Row:
    step = f" #{row['step']}" if pattern_of(row["scenario"]).stepped else ""
    values = [
        Value(f"{row['scenario']}{step}"),
        Value(f"{row['kind']} {milliseconds(row['duration_ms'])}, {row['topology']}"),
        _figure(row["offered_per_s"]),
        _figure(row["rho"]) if row["rho"] == row["rho"] else Value(NOTHING),
        _figure(row["completed_per_s"]),
        percentile_value(row, "accept", 50),
        *(percentile_value(row, stream.column, 99, limit_ms) for stream in (Stream.TASKS, *others)),
        _figure(sum(row[f"{stream.column}_n"] for stream in others)),
        percentile_value(row, "queue_wait", 50),
        percentile_value(row, "queue_wait", 99),
        percentile_value(row, "completion", 99),
        Value(
            f"{row['backlog_growth'] * 100:.0f} %",
            sort=row["backlog_growth"],
            look="bad" * bool(row["behind"]),
        ),
        _figure(row["backlog_end"]),
        Value(milliseconds(row["loop_lag_max_ms"]), sort=row["loop_lag_max_ms"]),
        Value(" ".join(_notes(row))),
    ]
    look = "" if row["valid"] else "invalid"
    return Row(row["strategy"], row["variant"], values, anchor=row_anchor(place), look=look)


def _figure(value: float) -> Value:
    return Value(number(value), sort=float(value))


def percentile_value(row: Mapping[Any, Any], name: str, p: int, limit_ms: float | None = None) -> Value:
    """Return a percentile of a row of the summary; one above the limit stands out."""
    value = float(row[f"{name}_p{p}_ms"])
    mark = "≥ " if row[f"{name}_p{p}_at_least"] else ""
    few = f" of {row[f'{name}_n']}" if p == 99 and 0 < row.get(f"{name}_n", 0) < ENOUGH_FOR_P99 else ""
    look = "bad" if limit_ms is not None and value > limit_ms else ""
    return Value(mark + milliseconds(value) + few, sort=value, look=look)


def _notes(row: Mapping[Any, Any]) -> Iterator[str]:
    if row["reasons"]:
        yield str(row["reasons"])
    if row["web_processes"] > 1:
        share = row["busiest_web_share"] * 100
        yield f"busiest of {row['web_processes']} web processes: {share:.0f} % of the tasks"
    yield from (f"{row[name]} {word}" for name, word in _TROUBLES.items() if row[name])
