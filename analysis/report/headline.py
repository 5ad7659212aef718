"""The answer in three sentences: what the usual way carries, what carries most, what a dead process costs."""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from analysis.charts.conditions import cores_of, served
from analysis.drills.facts import Fact
from analysis.format import listed, milliseconds, number
from analysis.report.reach import Condition, Reach, reaches
from analysis.trials.questions import BLOCKING, QUESTIONS
from analysis.trials.streams import bystanders_in
from results.schema import Manifest
from results.terms import Stream

USUAL: Final = ("background_tasks", "default")
"""what FastAPI's own documentation begins with"""
_NAMED: Final = 4
_KILLED: Final = {"kill-web": "the web process", "kill-worker": "a worker"}
"""by drill"""
_SLOW: Final = {
    Stream.TASKS: "accepting a task takes",
    Stream.PING: "unrelated `async def` endpoints take",
    Stream.PING_SYNC: "unrelated `def` endpoints take",
    Stream.PING_DB: "unrelated endpoints that read the database take",
}


def headline(
    summary: pd.DataFrame,
    points: pd.DataFrame,
    manifest: Manifest,
    condition: Condition,
    facts: Mapping[tuple[str, str], Fact],
) -> list[str]:
    """Return the sentences; fewer where nothing is known. `facts` are by subject and drill."""
    found = reaches(points, condition)
    measured = list(
        dict.fromkeys(f"{s}/{v}" for s, v in zip(points["strategy"], points["variant"], strict=True))
    )
    told = [
        usual_way(found, condition.of(summary), manifest, condition),
        most_carried(found),
        killed(measured, facts),
    ]
    return [sentence for sentence in told if sentence]


def usual_way(found: Sequence[Reach], rows: pd.DataFrame, manifest: Manifest, condition: Condition) -> str:
    """Tell up to which rate the usual way holds, and what happens beyond it."""
    if not found:
        return ""
    usual = next((each for each in found if (each.strategy, each.variant) == USUAL), found[0])
    where = cores_of(manifest, condition.topology)
    tasks = f"{condition.kind} tasks of {milliseconds(condition.duration_ms)}"
    unusual = listed(served(manifest))
    conditions = f"{where and f' on {where}'}{unusual and f' with {unusual}'}"
    return f"For {tasks}{conditions}, {usual.name} {_carries(usual, rows)}."


def _carries(reach: Reach, rows: pd.DataFrame) -> str:
    if reach.failed_per_s is None:
        return f"carries {reach.rate}, the highest rate tried, with a fast API"
    after = _beyond(reach, rows)
    if reach.held_per_s is None:
        return f"gives way at every rate tried, from {number(reach.failed_per_s)}/s on: {after}"
    return f"carries {reach.rate} with a fast API; beyond it, at {number(reach.failed_per_s)}/s, {after}"


def _beyond(reach: Reach, rows: pd.DataFrame) -> str:
    """Tell what goes wrong where the first thing does."""
    if reach.found[BLOCKING].failed != reach.failed_per_s:
        return f"{QUESTIONS[reach.first].words}{_while_fast(reach)}"
    own = rows[(rows["strategy"] == reach.strategy) & (rows["variant"] == reach.variant)]
    own = own[own["valid"].astype(bool) & (own["offered_per_s"] == reach.failed_per_s)]
    worst = {
        stream: float(own[f"{stream.column}_p99_ms"].max()) for stream in (Stream.TASKS, *bystanders_in(own))
    }
    stream = max(worst, key=lambda each: (worst[each] == worst[each], worst[each]))
    return f"{_SLOW.get(stream) or f'{stream.words} takes'} {milliseconds(worst[stream])} (p99)"


def _while_fast(reach: Reach) -> str:
    held = reach.found[BLOCKING].held
    if held is None or held < (reach.failed_per_s or 0):
        return ""
    return f" while the API stays fast up to {number(held)}/s"


def most_carried(found: Sequence[Reach]) -> str:
    """Name what carries most: all of which that may be true, since overlapping intervals have no order."""
    held = [each for each in found if each.held_per_s]
    if len(found) < 2 or not held:
        return ""
    best = max(held, key=lambda each: each.held_per_s or 0)
    level = [each for each in held if each is best or each.overlaps(best)]
    first = _first([each for each in found if each not in level])
    rate = best.rate if best.failed_per_s else f"{best.rate}, the highest rate tried"
    if len(level) == 1:
        return f"Most is carried by {best.name}: {rate}.{first}"
    rest = [f"{len(level) - _NAMED} more"] if len(level) > _NAMED else []
    names = listed([*(each.name for each in level[:_NAMED]), *rest])
    level_with = "their intervals overlap, so none of them is ahead"
    return f"Most is carried by {names}, up to {rate}; {level_with}.{first}"


def _first(others: Sequence[Reach]) -> str:
    """Name what gives way before all else does, apart from what blocks by definition."""
    always = [each.name for each in others if each.everywhere]
    lowest = min(
        (each.failed_per_s for each in others if each.failed_per_s and not each.everywhere), default=0
    )
    names = listed([each.name for each in others if each.failed_per_s == lowest and not each.everywhere])
    first = f" First to give way: {names}, at {number(lowest)}/s." if lowest else ""
    blocked = " blocks at every rate, since a task takes longer than the limit."
    return f"{first} {listed(always)}{blocked}" if always else first


def killed(measured: Sequence[str], facts: Mapping[tuple[str, str], Fact]) -> str:
    """Tell what is lost when the web process or a worker is killed, by the drills of what was measured."""
    told = [_lost(measured, facts, drill, name) for drill, name in _KILLED.items()]
    return " ".join(filter(None, told))


def _lost(measured: Sequence[str], facts: Mapping[tuple[str, str], Fact], drill: str, name: str) -> str:
    known = [fact for subject in measured if (fact := facts.get((subject, drill)))]
    losing = [fact for fact in known if fact.lost]
    keeping = [fact for fact in known if not fact.lost and fact.in_flight]
    parts = []
    if losing:
        lost, met = sum(fact.lost_in_flight for fact in losing), sum(fact.in_flight for fact in losing)
        parts.append(f"{_strategies(losing)} lost {number(lost)} of {number(met)} tasks under way")
    if keeping:
        parts.append(f"{_strategies(keeping)} lost none of {number(sum(f.in_flight for f in keeping))}")
    return f"When {name} was killed, {'; '.join(parts)}." if parts else ""


def _strategies(facts: Sequence[Fact]) -> str:
    return listed(list(dict.fromkeys(fact.subject.split("/")[0] for fact in facts)))
