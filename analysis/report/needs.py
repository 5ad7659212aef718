"""The table by which to decide: what each subject can be relied on for, each cell with its source."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.charts.style import ROLE_COLOURS
from analysis.drills.facts import Fact
from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.report.drill_words import duration
from analysis.report.reach import Condition
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.point_table import Answer, Found, answers
from analysis.trials.points import at_rates
from analysis.trials.questions import BLOCKING, QUESTIONS, SATURATION
from results.schema import Manifest

_ABREAST: Final = 4
"""durations beside each other; more of them make another table"""
_HALF: Final = 0.5
_UP_TO: Final = {BLOCKING: "API stays fast up to", SATURATION: "Keeps up to"}
KILLED: Final = {"kill-web": "web process", "kill-worker": "worker", "kill-broker": "broker"}
_CONCERNS: Final = {"kill-web": "", "kill-worker": "no worker", "kill-broker": "no broker"}


@dataclass(frozen=True)
class Sources:
    """What the table is made from."""

    manifest: Manifest
    summary: pd.DataFrame
    points: pd.DataFrame
    facts: Mapping[tuple[str, str], Fact]


def needs(sources: Sources, condition: Condition) -> list[Table]:
    """Return the table of the condition's kind and topology: first the part that holds its duration."""
    points = sources.points
    own = points[(points["kind"] == condition.kind) & (points["topology"] == condition.topology)]
    durations = sorted(set(own["duration_ms"]))
    parts = [durations[at : at + _ABREAST] for at in range(0, len(durations), _ABREAST)]
    parts.sort(key=lambda part: condition.duration_ms not in part)
    return [_table(sources, own, condition, part, number) for number, part in enumerate(parts)]


def _table(
    sources: Sources, points: pd.DataFrame, condition: Condition, durations: Sequence[float], place: int
) -> Table:
    known = {(a.strategy, a.variant, each): a for each in durations for a in _answers(points, each)}
    held = held_rates(points)
    columns = [Column(milliseconds(each), _UP_TO[name]) for name in _UP_TO for each in durations]
    columns += [Column("Starts within"), Column("CPU a task")]
    columns += [Column(label, "Survives a killed", numeric=False) for label in KILLED.values()]
    rows = []
    for strategy, variant, _ in subjects(points):
        cells = [
            rate(
                known.get((strategy, variant, each)),
                name,
                sources.manifest,
                held.get((strategy, variant, each, name)),
            )
            for name in _UP_TO
            for each in durations
        ]
        subject = f"{strategy}/{variant}"
        half = at_half_load(sources, condition, strategy, variant)
        cells += [starts_within(half, sources.manifest), cost(half, sources.manifest)]
        cells += [survives(subject, drill, sources) for drill in KILLED]
        rows.append(Row(strategy, variant, cells))
    about = f"{condition.kind} tasks, {condition.topology}, limit {milliseconds(sources.manifest.limit_ms)}"
    return Table(f"needs{place or ''}", f"What to rely on: {about}, rates in tasks/s", columns, rows)


def _answers(points: pd.DataFrame, duration_ms: float) -> list[Answer]:
    return answers(points[points["duration_ms"] == duration_ms])


def held_rates(points: pd.DataFrame) -> dict[tuple[str, str, float, str], float]:
    """Return the highest rate that held, by strategy, variant, duration and question."""
    keys = zip(points["strategy"], points["variant"], points["duration_ms"], points["question"], strict=True)
    return dict(zip(keys, points["held_per_s"].fillna(0).astype(float), strict=True))


def rate(answer: Answer | None, name: str, manifest: Manifest, held_per_s: float | None = None) -> Value:
    """Return up to which rate something holds, or in a word why that is not known."""
    if answer is None:
        return Value("untried", source="nothing of it was planned", look="unsure")
    found = answer.found[name]
    key = point_key(answer, name)
    if not answer.trials:
        why = found.notes or "no trial passed the gate"
        return Value("refused" if answer.invalid else "untried", source=why, look="unsure", key=key)
    look = "unsure" if found.shaky else ""
    return Value(short(found), sort=held_per_s, source=_told(answer, found, manifest), look=look, key=key)


def short(found: Found) -> str:
    """Return an interval without its unit, which the table's caption names."""
    return found.interval.removesuffix("/s")


def _told(answer: Answer, found: Found, manifest: Manifest) -> str:
    parts = [
        f"{manifest.campaign}: {answer.trials} valid trials of {answer.condition}",
        found.by,
        found.notes,
    ]
    return "; ".join(part for part in parts if part)


def point_key(answer: Answer, name: str) -> str:
    """Return by what a script finds the cells of a point."""
    return f"{answer.strategy}/{answer.variant} {answer.condition} {name}"


def at_half_load(
    sources: Sources, condition: Condition, strategy: str, variant: str
) -> Mapping[Any, Any] | None:
    """Return the step nearest to half of what a subject keeps up with; None where there is none.

    Only steps count at which the work kept up: behind a growing backlog any wait is as long as the trial.
    """
    summary = sources.summary[~sources.summary["closed"].astype(bool)]
    rows = condition.of(at_rates(summary)) if len(summary) else summary
    own = rows[(rows["strategy"] == strategy) & (rows["variant"] == variant) & rows["valid"].astype(bool)]
    own = own[~own[QUESTIONS[SATURATION].column].astype(bool)]
    if own.empty:
        return None
    half = _HALF * float(own["offered_per_s"].max())
    apart = np.abs(np.log(own["offered_per_s"].to_numpy(float) / half))
    chosen = own.iloc[int(apart.argmin())]
    return {**chosen.to_dict(), "place": chosen.name}


def starts_within(row: Mapping[Any, Any] | None, manifest: Manifest) -> Value:
    """Return how long 99 of 100 tasks waited at most, and at which rate."""
    if row is None:
        return _no_such_step()
    wait = float(row["queue_wait_p99_ms"])
    if not np.isfinite(wait):
        return Value("unseen", source="none of its tasks was seen to start", look="unsure")
    mark = "≥ " if row["queue_wait_p99_at_least"] else ""
    return Value(
        mark + milliseconds(wait), f"at {number(row['offered_per_s'])}/s", wait, *_of_row(row, manifest)
    )


def cost(row: Mapping[Any, Any] | None, manifest: Manifest) -> Value:
    """Return the processor time a task costs, and the memory of all processes, at the same step."""
    if row is None:
        return _no_such_step()
    used = {unit: _sum(row, unit) for unit in ("cpu_cores", "rss_mib")}
    if not row["completed_per_s"] > 0 or not np.isfinite(used["cpu_cores"]):
        return Value("unseen", source="its processes could not be watched", look="unsure")
    cpu_ms = 1000 * used["cpu_cores"] / row["completed_per_s"]
    return Value(milliseconds(cpu_ms), f"{number(used['rss_mib'])} MiB", cpu_ms, *_of_row(row, manifest))


def _sum(row: Mapping[Any, Any], unit: str) -> float:
    return float(np.nansum([row[f"{role}_{unit}"] for role in ROLE_COLOURS]) or np.nan)


def _no_such_step() -> Value:
    return Value("overloaded", source="no valid trial in which the work kept up", look="unsure")


def _of_row(row: Mapping[Any, Any], manifest: Manifest) -> Iterator[str]:
    yield f"{manifest.campaign}: trial {row['trial_id']}"
    yield row_anchor(int(row["place"]))


def row_anchor(place: int) -> str:
    """Return the anchor of a row of the summary."""
    return f"row-{place}"


def fact_anchor(fact: Fact) -> str:
    """Return the anchor of a drill's fact."""
    return f"fact-{fact.drill}-{fact.subject}".replace("/", "-").replace("_", "-")


def survives(subject: str, drill: str, sources: Sources) -> Value:
    """Return whether accepted tasks outlive a kill, by the published drills."""
    fact = sources.facts.get((subject, drill))
    if fact is None:
        declared = {each.key: each for each in sources.manifest.subjects}.get(subject)
        if _CONCERNS[drill] and declared and not declared.workers:
            return Value(NOTHING, _CONCERNS[drill], source="it has none that could be killed")
        return Value("untried", source=f"no published drill kills it: {drill}", look="unsure")
    kills = f"{fact.campaign}: {drill} of {subject}, killed {fact.repeats} times"
    return Value(*_outcome(fact), source=kills, link=fact_anchor(fact), look=_look(fact), sort=_order(fact))


def _order(fact: Fact) -> float:
    return fact.lost / fact.accepted * 1e3 + bool(fact.hidden_at_rest)


def _look(fact: Fact) -> str:
    return "bad" if fact.lost else "late" if fact.hidden_at_rest else "good"


def _outcome(fact: Fact) -> tuple[str, str]:
    """Return the verdict and what it rests on, of the tasks under way where no other was lost."""
    met = fact.in_flight if fact.lost == fact.lost_in_flight else fact.accepted
    hidden = f"{number(fact.hidden_at_rest)} hidden" if fact.hidden_at_rest else ""
    window = (
        f"for {duration(fact.default_window_s)} by default" if hidden and fact.default_window_s > 0 else ""
    )
    if fact.lost:
        return "no", "; ".join(filter(None, [f"{number(fact.lost)} of {number(met)} lost", hidden]))
    if hidden:
        return "late", f"{hidden} {window}".rstrip()
    return "yes", f"of {number(fact.in_flight)} none lost" if fact.in_flight else "none was under way"
