"""One section for each question that users ask and a campaign can answer: reading, chart, numbers, rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.charts.style import ROLE_COLOURS
from analysis.drills.facts import Fact
from analysis.format import milliseconds, number
from analysis.order import order, subjects
from analysis.report.drawing import Drawing
from analysis.report.drill_words import duration
from analysis.report.headline import killed_web, listed
from analysis.report.needs import Sources, at_half_load, fact_anchor, point_key, row_anchor
from analysis.report.reach import Condition, reaches
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.point_table import answers
from analysis.trials.questions import BLOCKING, QUESTIONS, SATURATION

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
        if section.reading or section.tables or own:
            made.append(section)
    return made, left


def _of_condition(drawings: Sequence[Drawing], condition: Condition) -> list[Drawing]:
    """Return one drawing: that of the condition, else the first that could be drawn."""
    drawn = [each for each in drawings if each.svg]
    wanted = f"-{condition.kind}-{condition.duration_ms:g}ms-{condition.topology}"
    return ([each for each in drawn if each.name.endswith(wanted)] or drawn)[:1]


def _blocking(sources: Sources, condition: Condition) -> list[str]:
    found = reaches(sources.points, condition)
    blocked = [each for each in found if each.found[BLOCKING].failed is not None]
    calm = [each for each in found if each not in blocked]
    told = []
    if blocked:
        each = [
            f"{b.name} at {number(b.found[BLOCKING].failed or 0)}/s" for b in sorted(blocked, key=_failed)
        ]
        told.append(f"The API was blocked by {listed(each)}.")
    if calm:
        each = [f"{c.name} (tried up to {number(c.found[BLOCKING].held or 0)}/s)" for c in calm]
        told.append(f"At no rate tried by {listed(each)}.")
    return told


def _failed(reach: Any) -> float:
    return float(reach.found[BLOCKING].failed)


def every_point(sources: Sources, _condition: Condition) -> list[Table]:
    """Return the answer to every question under every condition."""
    found = answers(sources.points)
    if not found:
        return []
    columns = [Column("tasks", numeric=False)]
    for question in QUESTIONS.values():
        columns.append(Column(question.heading))
        if question.named_by:
            columns.append(Column(question.named_by, numeric=False))
    columns += [Column("Ceiling"), Column("Trials")]
    rows = []
    for answer in found:
        values = [Value(answer.tasks, answer.topology)]
        for name, question in QUESTIONS.items():
            each = answer.found[name]
            predicted = (
                f"predicted {each.predicted}"
                if each.predicted not in {"", "not predicted"}
                else each.predicted
            )
            note = "; ".join(part for part in (each.notes, predicted) if part)
            look = (
                "unsure" if each.shaky else "bad" if each.gave_way else "good" if ">" in each.interval else ""
            )
            values.append(Value(each.interval, note, look=look, key=point_key(answer, name)))
            if question.named_by:
                values.append(Value(each.by or NOTHING, key=f"{point_key(answer, name)} by"))
        invalid = f" + {answer.invalid} invalid" if answer.invalid else ""
        values += [
            Value(answer.ceiling or "none"),
            Value(f"{answer.trials}{invalid}", f"{number(answer.load_s)} s of load", float(answer.trials)),
        ]
        rows.append(Row(answer.strategy, answer.variant, values))
    return [Table("points", "Every point", columns, rows)]


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


def _of_slots(_sources: Sources, condition: Condition) -> list[str]:
    per_slot = 1000 / condition.duration_ms if condition.duration_ms else np.inf
    busy = f"{milliseconds(condition.duration_ms)} make {number(per_slot)} tasks/s a slot at the most"
    return [
        f"A slot is busy for as long as its task: {busy}.",
        "Twice the rate takes twice the slots, whatever runs them, until a core is full.",
    ]


def _starts(sources: Sources, condition: Condition) -> list[Table]:
    labels = ("Rate", "p50", "p99", "Completed, p99")
    rows = []
    for strategy, variant, _ in subjects(condition.of(sources.points)):
        row = at_half_load(sources, condition, strategy, variant)
        if row is None:
            continue
        link = row_anchor(int(row["place"]))
        times = [
            Value(
                ("≥ " if row[f"{name}_at_least"] else "") + milliseconds(row[f"{name}_ms"]),
                sort=row[f"{name}_ms"],
            )
            for name in ("queue_wait_p50", "queue_wait_p99", "completion_p99")
        ]
        rate = Value(f"{number(row['offered_per_s'])}/s", sort=row["offered_per_s"], link=link)
        rows.append(Row(strategy, variant, [rate, *times]))
    caption = "Wait for a slot, at the rate nearest to half of what it keeps up with"
    return [Table("starts", caption, [Column(each) for each in labels], rows)] if rows else []


def _costs(sources: Sources, condition: Condition) -> list[Table]:
    roles = list(ROLE_COLOURS)
    columns = [Column("Rate"), *(Column(role, "CPU a task, ms") for role in roles)]
    columns += [Column(role, "Memory, MiB") for role in roles]
    rows = []
    for strategy, variant, _ in subjects(condition.of(sources.points)):
        row = at_half_load(sources, condition, strategy, variant)
        if row is None or not row["completed_per_s"] > 0:
            continue
        cpu = [1000 * row[f"{role}_cpu_cores"] / row["completed_per_s"] for role in roles]
        memory = [row[f"{role}_rss_mib"] for role in roles]
        rate = Value(
            f"{number(row['offered_per_s'])}/s", sort=row["offered_per_s"], link=row_anchor(int(row["place"]))
        )
        rows.append(Row(strategy, variant, [rate, *(_figure(each) for each in (*cpu, *memory))]))
    caption = "Cost by role, at the rate nearest to half of what it keeps up with"
    return [Table("costs", caption, columns, rows)] if rows else []


def _figure(value: float) -> Value:
    return Value(number(value), sort=float(value)) if np.isfinite(value) else Value(NOTHING)


def _lost(sources: Sources, _condition: Condition) -> list[str]:
    measured = list(dict.fromkeys(_subjects_of(sources.points)))
    told = killed_web(measured, sources.facts)
    if not told:
        return []
    return [told, *_OF_DRILLS]


def _subjects_of(rows: pd.DataFrame) -> list[str]:
    return [f"{s}/{v}" for s, v in zip(rows["strategy"], rows["variant"], strict=True)]


def _losses(sources: Sources, _condition: Condition) -> list[Table]:
    measured = set(_subjects_of(sources.points))
    facts = [fact for fact in sources.facts.values() if fact.subject in measured]
    labels = ("Kills", "Accepted", "Under way", "Lost", "Hidden", "Twice", "Hidden for", "By default")
    columns = [Column("drill", numeric=False), *(Column(each) for each in labels)]
    rows = [_loss(fact) for fact in sorted(facts, key=lambda f: (f.drill, order(*f.subject.split("/"))))]
    return [Table("losses", "Published drills, tasks summed over the kills", columns, rows)] if rows else []


def _loss(fact: Fact) -> Row:
    counts = [fact.repeats, fact.accepted, fact.in_flight, fact.lost, fact.hidden_at_rest, fact.twice]
    until = [
        Value(duration(each), sort=each) if each > 0 else Value(NOTHING)
        for each in (fact.hidden_until_s, fact.default_window_s if fact.hidden_at_rest else 0.0)
    ]
    drill = Value(fact.drill, f"results/published/{fact.campaign}")
    strategy, variant = fact.subject.split("/")
    values = [drill, *(Value(number(each), sort=float(each)) for each in counts), *until]
    return Row(strategy, variant, values, anchor=fact_anchor(fact))


ASKED: Final = (
    Asked(
        "blocks",
        "Does it block my API?",
        "Blocking",
        ("blocking", "latency", "heatmap"),
        _blocking,
        every_point,
    ),
    Asked(
        "ceiling",
        "How many tasks a second, and how many slots do I need?",
        "Slots",
        ("throughput",),
        _of_slots,
        _slots,
    ),
    Asked("starts", "How long until my task starts?", "Waiting", ("queue-wait",), tables=_starts),
    Asked("longer", "What do longer tasks change?", "Duration", ("duration", "frontier")),
    Asked("bursts", "What does a burst do?", "Bursts", ("burst",)),
    Asked("costs", "What does it cost?", "Cost", ("cost",), tables=_costs),
    Asked("lost", "What do I lose when something dies?", "Losses", reading=_lost, tables=_losses),
)
"""in the order of the page"""
