"""Slots against rate: how many it takes, step by step, as a drawing that needs no library."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Final

from analysis.format import number
from analysis.plan.bounds import queue_bound
from analysis.plan.demand import Demand
from analysis.plan.options import Option
from analysis.plan.settings import LADDER, Setting

WIDE: Final = 760
HIGH: Final = 340
LEFT: Final = 52
RIGHT: Final = 190
TOP: Final = 14
BOTTOM: Final = 40
REACH: Final = 2.0
"""the axis goes that far beyond the highest rate"""
FAR_BELOW: Final = 6
"""so many times fewer slots than the recommended ones are not drawn"""
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7", "#6A3D9A", "#1B7C8C", "#8C5A00")


@dataclass(frozen=True)
class Stair:
    """One line: up to which rate each number of slots carries."""

    subjects: tuple[str, ...]
    steps: tuple[tuple[float, int], ...]
    """rate and slots, both ascending"""


def stairs(options: Sequence[Option], demand: Demand) -> list[Stair]:
    """Return a line for each subject with slots; those of equal lines share one."""
    found: dict[tuple[tuple[float, int], ...], list[str]] = {}
    for option in options:
        if steps := tuple(_steps(option, demand)):
            found.setdefault(steps, []).append(option.subject)
    return [Stair(tuple(names), steps) for steps, names in found.items()]


def _steps(option: Option, demand: Demand) -> Iterator[tuple[float, int]]:
    """Yield rate and slots as far as the axis goes; rates are those of the queue alone."""
    setting, measure = option.setting, option.measure
    if not setting.slots_each:
        return
    for many in LADDER:
        own = replace(setting, slots_each=many) if measure.adjustable else _copies(setting, many)
        if own.slots * FAR_BELOW < setting.slots:
            continue
        rate = queue_bound(measure, demand, own).carries_per_s
        yield float(f"{min(rate, REACH * demand.highest_per_s):.2g}"), own.slots
        if rate >= REACH * demand.highest_per_s:
            return


def _copies(setting: Setting, many: int) -> Setting:
    if setting.worker_copies:
        return replace(setting, worker_copies=many)
    return replace(setting, web_processes=many)


def draw(lines: Sequence[Stair], demand: Demand) -> str:
    """Return the drawing as an SVG element; empty where no subject has slots."""
    if not lines:
        return ""
    most = max(slots for line in lines for _, slots in line.steps)
    canvas = _Canvas(REACH * demand.highest_per_s, most)
    parts = [*canvas.axes(), *canvas.demand(demand)]
    used: list[float] = []
    for place, line in enumerate(lines):
        parts += canvas.stair(line, COLOURS[place % len(COLOURS)], used)
    label = "Slots that it takes against the rate of tasks"
    body = "\n".join(parts)
    return f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{label}">\n{body}\n</svg>'


@dataclass(frozen=True)
class _Canvas:
    rate_per_s: float
    slots: int

    def x(self, rate: float) -> float:
        return LEFT + (WIDE - LEFT - RIGHT) * min(rate / self.rate_per_s, 1.0)

    def y(self, slots: float) -> float:
        return HIGH - BOTTOM - (HIGH - TOP - BOTTOM) * slots / self.slots

    def axes(self) -> Iterator[str]:
        bottom = HIGH - BOTTOM
        yield f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDE - RIGHT}"/>'
        for part in range(5):
            rate, slots = self.rate_per_s * part / 4, self.slots * part / 4
            yield f'<text x="{self.x(rate):.1f}" y="{bottom + 16}" text-anchor="middle">{number(rate)}</text>'
            yield f'<text x="{LEFT - 6}" y="{self.y(slots) + 4:.1f}" text-anchor="end">{number(slots)}</text>'
        yield f'<text x="{LEFT}" y="{HIGH - 6}">tasks a second</text>'
        yield f'<text x="{LEFT + 6}" y="{TOP + 8}">slots</text>'

    def demand(self, demand: Demand) -> Iterator[str]:
        left, right = self.x(demand.lowest_per_s), self.x(demand.highest_per_s)
        yield (
            f'<rect class="demand" x="{left:.1f}" y="{TOP}" width="{max(right - left, 1.5):.1f}" '
            f'height="{HIGH - TOP - BOTTOM}"><title>the demand</title></rect>'
        )

    def stair(self, line: Stair, colour: str, used: list[float]) -> Iterator[str]:
        rate, slots = line.steps[0]
        path = f"M{LEFT} {self.y(slots):.1f}"
        for rate, slots in line.steps:
            path += f"V{self.y(slots):.1f}H{self.x(rate):.1f}"
        yield f'<path class="stair" stroke="{colour}" d="{path}"/>'
        at = self.y(slots) + 4
        while any(abs(at - other) < 13 for other in used):
            at += 13
        for place, name in enumerate(line.subjects):
            used.append(at + 13 * place)
            x = self.x(rate) + 6
            yield f'<text x="{x:.1f}" y="{at + 13 * place:.1f}" style="fill:{colour}">{escape(name)}</text>'
