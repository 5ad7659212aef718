"""One section for each question that users ask and a campaign can answer: reading, chart, numbers, rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.charts.style import ROLE_COLOURS
from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.report import remarks
from analysis.report.drawing import Drawing
from analysis.report.half_load import cpu_a_task_ms, half_loads, rate, waited
from analysis.report.headline import killed
from analysis.report.lengths import lengths
from analysis.report.needs import Sources
from analysis.report.rates import every_point
from analysis.report.reach import Condition
from analysis.report.survival import losses
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.questions import SATURATION

_OF_DRILLS: Final = (
    "From drills that were published with Blockpoint, not from this campaign: few slots, short windows.",
    "A hidden task is not lost: its broker gives it out again once its window has passed.",
)


@dataclass(frozen=True)
class Section:
    """A question with what answers it."""

    anchor: str
    asked: str
    short: str
    """in the list of contents"""
    reading: Sequence[str]
    tables: Sequence[Table]
    shown: Sequence[Drawing]
    """of the condition that the page tells first"""
    folded: Sequence[Drawing]


@dataclass(frozen=True)
class Asked:
    """What is asked, and what of a campaign answers it."""

    anchor: str
    asked: str
    short: str
    """in the list of contents"""
    charts: tuple[str, ...] = ()
    """how the names of its charts begin"""
    reading: Callable[[Sources, Condition], list[str]] = lambda _sources, _condition: []
    tables: Callable[[Sources, Condition], list[Table]] = lambda _sources, _condition: []


def sections(
    sources: Sources, condition: Condition, drawings: Sequence[Drawing]
) -> tuple[list[Section], list[Drawing]]:
    """Return the sections that have something to say, and the drawings that belong to none."""
    left, made = list(drawings), []
    for asked in ASKED:
        own = [each for each in left if each.name.startswith(asked.charts)] if asked.charts else []
        left = [each for each in left if each not in own]
        shown = _of_condition(own, condition)
        folded = [each for each in own if each not in shown]
        section = Section(
            asked.anchor,
            asked.asked,
            asked.short,
            asked.reading(sources, condition),
            asked.tables(sources, condition),
            shown,
            folded,
        )
        if section.reading or section.tables or any(each.svg for each in own):
            made.append(section)
        else:
            left += own
    return made, left


def _of_condition(drawings: Sequence[Drawing], condition: Condition) -> list[Drawing]:
    """Return one drawing: that of the condition, else the first that was drawn, else why none was."""
    drawn = [each for each in drawings if each.svg] or list(drawings)
    wanted = f"-{condition.kind}-{condition.duration_ms:g}ms-{condition.topology}"
    return ([each for each in drawn if each.name.endswith(wanted)] or drawn)[:1]


def _points(sources: Sources, _condition: Condition) -> list[Table]:
    return [every_point(sources.points, sources.manifest)]


def _slots(sources: Sources, condition: Condition) -> list[Table]:
    """Say how many slots a rate takes: those in use at what was kept up with, scaled to 100 tasks/s."""
    own = condition.of(sources.points)
    own = own[(own["question"] == SATURATION) & (own["trials"] > 0)]
    rows = []
    for strategy, variant, rows_of in subjects(own):
        point = rows_of.iloc[0]
        slots, held = int(point["slots"]), float(point["held_per_s"])
        known = slots > 0 and held > 0
        per_100 = (
            Value(number(np.ceil(slots * 100 / held)), sort=slots * 100 / held)
            if known
            else Value("unbounded" if not slots else "unknown", look="unsure")
        )
        best = _best(sources.summary, condition, strategy, variant)
        ceiling = float(point["ceiling_per_s"])
        share = (
            Value(f"{best / ceiling:.0%}", sort=best / ceiling)
            if np.isfinite(ceiling * best)
            else Value(NOTHING)
        )
        rows.append(
            Row(
                strategy,
                variant,
                [
                    Value(number(slots) if slots else "unlimited", sort=float(slots)),
                    Value(f"{number(ceiling)}/s" if np.isfinite(ceiling) else "none", sort=ceiling),
                    Value(f"{number(best)}/s", sort=best),
                    share,
                    per_100,
                ],
            )
        )
    labels = ("Slots", "Ceiling", "Most completed", "of the ceiling", "Slots for 100/s")
    about = f"{condition.kind} tasks of {milliseconds(condition.duration_ms)}, {condition.topology}"
    return (
        [Table("slots", f"Slots and throughput: {about}", [Column(each) for each in labels], rows)]
        if rows
        else []
    )


def _best(summary: pd.DataFrame, condition: Condition, strategy: str, variant: str) -> float:
    own = condition.of(summary[summary["valid"].astype(bool)])
    own = own[(own["strategy"] == strategy) & (own["variant"] == variant)]
    return float(own["completed_per_s"].max()) if len(own) else np.nan


def _starts(sources: Sources, condition: Condition) -> list[Table]:
    labels = ("Rate", "p50", "p99", "Completed, p99")
    names = ("queue_wait_p50", "queue_wait_p99", "completion_p99")
    rows = [
        Row(*subject, [rate(step), *(waited(step, name) for name in names)])
        for subject, step in half_loads(sources.summary, condition).items()
    ]
    caption = "Wait for a slot, at the rate nearest to half of what it keeps up with"
    return [Table("starts", caption, [Column(each) for each in labels], rows)] if rows else []


def _costs(sources: Sources, condition: Condition) -> list[Table]:
    roles = list(ROLE_COLOURS)
    columns = [Column("Rate"), *(Column(role, "CPU a task, ms") for role in roles)]
    columns += [Column(role, "Memory, MiB") for role in roles]
    rows = []
    for subject, step in half_loads(sources.summary, condition).items():
        figures = [cpu_a_task_ms(step, role) for role in roles] + [step[f"{role}_rss_mib"] for role in roles]
        rows.append(Row(*subject, [rate(step), *map(_figure, figures)]))
    caption = "Cost by role, at the rate nearest to half of what it keeps up with"
    return [Table("costs", caption, columns, rows)] if rows else []


def _figure(value: float) -> Value:
    return Value(number(value), sort=float(value)) if np.isfinite(value) else Value(NOTHING)


def _lost(sources: Sources, _condition: Condition) -> list[str]:
    told = killed(_subjects_of(sources.points), sources.facts)
    if not told:
        return []
    return [told, *_OF_DRILLS]


def _subjects_of(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(f"{s}/{v}" for s, v in zip(rows["strategy"], rows["variant"], strict=True)))


def _losses(sources: Sources, _condition: Condition) -> list[Table]:
    table = losses(_subjects_of(sources.points), sources.facts)
    return [table] if table.rows else []


ASKED: Final = (
    Asked(
        "blocks",
        "Does it block my API?",
        "Blocking",
        ("blocking", "latency", "heatmap"),
        remarks.of_blocking,
        _points,
    ),
    Asked(
        "ceiling",
        "How many tasks a second, and how many slots do I need?",
        "Slots",
        ("throughput",),
        remarks.of_slots,
        _slots,
    ),
    Asked(
        "waiting", "How long until my task starts?", "Waiting", ("queue-wait",), remarks.of_waiting, _starts
    ),
    Asked("longer", "What do longer tasks change?", "Duration", ("duration", "frontier"), remarks.of_longer),
    Asked("bursts", "What does a burst do?", "Bursts", ("burst",)),
    Asked("lengths", "What do long tasks do to short ones?", "Long and short", tables=lengths),
    Asked("soak", "Does it last for hours?", "Soak", ("soak",)),
    Asked("cost", "What does it cost?", "Cost", ("cost",), remarks.of_costs, _costs),
    Asked("lost", "What do I lose when something dies?", "Losses", reading=_lost, tables=_losses),
)
"""in the order of the page"""
