"""What a section's numbers come to, in a sentence or two."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from analysis.charts.style import ROLE_COLOURS
from analysis.format import listed, milliseconds, number
from analysis.report.half_load import Step, cpu_a_task_ms, half_loads
from analysis.report.headline import USUAL
from analysis.report.needs import Sources
from analysis.report.reach import Condition, reaches
from analysis.trials.questions import BLOCKING, SATURATION
from results.schema import Manifest

_NOTICED_MS: Final = 50.0
"""a wait that half of the tasks have though slots are free"""


def of_blocking(sources: Sources, condition: Condition) -> list[str]:
    """Name what blocked the API, the first one first, and what did not."""
    found = reaches(sources.points, condition)
    at = {each.name: each.found[BLOCKING].failed for each in found}
    blocked = sorted((rate, name) for name, rate in at.items() if rate is not None)
    calm: dict[float, list[str]] = {}
    for each in found:
        if at[each.name] is None:
            calm.setdefault(each.found[BLOCKING].held or 0, []).append(each.name)
    told = []
    if blocked:
        told.append(
            f"The API was blocked by {listed([f'{name} at {number(rate)}/s' for rate, name in blocked])}."
        )
    if calm:
        highest_first = sorted(calm.items(), reverse=True)
        tried = "; ".join(f"{listed(names)} (tried up to {number(rate)}/s)" for rate, names in highest_first)
        told.append(f"At no rate tried by {tried}.")
    return told


def of_slots(_sources: Sources, condition: Condition) -> list[str]:
    """Tell what a slot can do."""
    per_slot = 1000 / condition.duration_ms if condition.duration_ms else np.inf
    busy = f"{milliseconds(condition.duration_ms)} make {number(per_slot)} tasks/s a slot at the most"
    return [
        f"A slot is busy for as long as its task: {busy}.",
        "Twice the rate takes twice the slots, whatever runs them, until a core is full.",
    ]


def of_waiting(sources: Sources, condition: Condition) -> list[str]:
    """Tell how soon tasks start at half load, and who lets them wait though slots are free."""
    steps = half_loads(sources.summary, condition)
    p99_ms = {name: float(step["queue_wait_p99_ms"]) for name, step in steps.items()}
    known = _finite(p99_ms)
    if not known:
        return []
    told = [f"At the measured rates nearest to half load 99 of 100 tasks start {_between(known, 'within')}."]
    return told + [
        _idle(name, step, sources.manifest)
        for name, step in steps.items()
        if float(step["queue_wait_p50_ms"]) > _NOTICED_MS
    ]


def _idle(name: tuple[str, str], step: Step, manifest: Manifest) -> str:
    subject, wait_ms = "/".join(name), float(step["queue_wait_p50_ms"])
    wait = f"half of the tasks of {subject} wait {milliseconds(wait_ms)} or more"
    service = manifest.subject(subject).services.get(str(step["kind"]))
    tick_ms = 1000 * service.poll_s if service else 0.0
    why = f": its worker looks for work every {milliseconds(tick_ms)}" if wait_ms < tick_ms else ""
    return f"At {number(step['offered_per_s'])}/s {wait}{why}."


def of_costs(sources: Sources, condition: Condition) -> list[str]:
    """Tell what costs least and most."""
    steps = half_loads(sources.summary, condition)
    cpu = {n: float(np.nansum([cpu_a_task_ms(s, r) for r in ROLE_COLOURS])) for n, s in steps.items()}
    memory = {n: float(np.nansum([s[f"{r}_rss_mib"] for r in ROLE_COLOURS])) for n, s in steps.items()}
    cpu, memory = ({n: v for n, v in each.items() if v > 0} for each in (cpu, memory))
    if not cpu or not memory:
        return []
    held = f"{number(min(memory.values()))} to {number(max(memory.values()))} MiB"
    return [f"A task takes {_between(cpu, 'processor time of')}.", f"All processes together hold {held}."]


def of_longer(sources: Sources, condition: Condition) -> list[str]:
    """Tell what the usual way keeps up with at each duration."""
    points = sources.points
    own = points[(points["kind"] == condition.kind) & (points["topology"] == condition.topology)]
    own = own[own["question"] == SATURATION].sort_values("duration_ms")
    named = list(zip(own["strategy"], own["variant"], strict=True))
    subject = USUAL if USUAL in named else min(named)
    rows = own[[name == subject for name in named]].dropna(subset=["held_per_s"])
    if len(rows) < 2:
        return []
    each = [
        f"{number(rate)}/s of {milliseconds(ms)}"
        for ms, rate in zip(rows["duration_ms"], rows["held_per_s"], strict=True)
    ]
    law = "a slot that is busy half as long serves twice as many"
    return [f"{'/'.join(subject)} kept up with {listed(each)}: {law}."]


def _finite(values: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _between(values: Mapping[tuple[str, str], float], words: str) -> str:
    """Return the range of some times, its ends named."""
    ends = list(_ends(values))
    return f"{words} {' to '.join(ends)}"


def _ends(values: Mapping[tuple[str, str], float]) -> Iterator[str]:
    for name in dict.fromkeys((min(values, key=values.__getitem__), max(values, key=values.__getitem__))):
        yield f"{milliseconds(values[name])} ({'/'.join(name)})"
