"""What a strategy costs: processor and memory of each of its roles at a comparable rate."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, Shape, make_grid
from analysis.charts.parts import by_condition
from analysis.charts.scales import even_ticks
from analysis.charts.style import ROLE_COLOURS, colour
from analysis.format import number
from analysis.order import subjects
from analysis.trials.questions import QUESTIONS, SATURATION

Floats = npt.NDArray[np.float64]


def cost_by_role(rows: pd.DataFrame, words: Caption) -> Figure:
    """Draw CPU cores and resident memory per role, one bar a subject, at `comparable`'s rate.

    `rows` are those of a summary with one kind, duration and topology, and at least one valid row.
    """
    chosen = comparable(rows)
    height = max(0.3 * len(chosen) + 0.3, 1.2)
    figure, (cpu, memory) = make_grid(2, Shape(2, 3.6, height, 1.4, 2.4), words)
    used = _sum(chosen, "cpu_cores")
    notes = [
        f"{number(cores / done * 1000)} ms/task at {number(rate)}/s" if done else f"at {number(rate)}/s"
        for cores, done, rate in zip(used, chosen["completed_per_s"], chosen["offered_per_s"], strict=True)
    ]
    _bars(cpu, chosen, "cpu_cores", notes)
    _bars(memory, chosen, "rss_mib", [f"{number(total)} MiB" for total in _sum(chosen, "rss_mib")])
    names = [f"{s} · {v}" for s, v in zip(chosen["strategy"], chosen["variant"], strict=True)]
    cpu.set_yticks(range(len(names)), names)
    for label, strategy in zip(cpu.get_yticklabels(), chosen["strategy"], strict=True):
        label.set_color(colour(strategy))
        label.set_fontweight("bold")
    memory.set_yticks(range(len(names)), [""] * len(names))
    cpu.set_xlabel("CPU (cores in use on average)", fontsize=8)
    memory.set_xlabel("memory (greatest resident set, MiB)", fontsize=8)
    for start, (role, shade) in zip((0, 42, 100), ROLE_COLOURS.items(), strict=True):
        place = {"xycoords": "axes fraction", "textcoords": "offset points"}
        cpu.annotate(f"■ {role}", (0, 1), (start, 8), fontsize=8, color=shade, fontweight="bold", **place)  # type: ignore[arg-type]
    return figure


def comparable(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a subject (median of its repeats) at the rate at which most subjects surely keep up.

    Of several such rates it is the highest; a subject without it shows its own nearest rate.
    """
    valid = rows[rows["valid"].astype(bool)]
    behind = QUESTIONS[SATURATION]
    steady = valid[~valid[behind.column].astype(bool) & valid[behind.certain_column].astype(bool)]
    shared = (steady if len(steady) else valid).drop_duplicates(["strategy", "variant", "offered_per_s"])
    counts = shared["offered_per_s"].value_counts()
    rate = float(counts[counts == counts.max()].index.max())
    found = []
    for strategy, variant, own in subjects(valid):
        distance = np.abs(np.log(own["offered_per_s"].to_numpy(dtype=float) / rate))
        nearest = own["offered_per_s"].to_numpy()[distance.argmin()]
        medians = own[own["offered_per_s"] == nearest].median(numeric_only=True)
        found.append({"strategy": strategy, "variant": variant} | medians.to_dict())
    return pd.DataFrame(found)


def _sum(chosen: pd.DataFrame, unit: str) -> Floats:
    columns = [f"{role}_{unit}" for role in ROLE_COLOURS]
    total: Floats = chosen[columns].fillna(0).to_numpy(dtype=float).sum(axis=1)
    return total


def _bars(ax: Axes, chosen: pd.DataFrame, unit: str, notes: list[str]) -> None:
    places = np.arange(len(chosen))
    left = np.zeros(len(chosen))
    for role, shade in ROLE_COLOURS.items():
        width = chosen[f"{role}_{unit}"].fillna(0).to_numpy(dtype=float)
        ax.barh(places, width, left=left, height=0.62, color=shade)
        left += width
    for place, end, note in zip(places, left, notes, strict=True):
        ax.annotate(note, (end, place), (4, 0), textcoords="offset points", va="center", fontsize=7)
    top = max(float(left.max(initial=0)), 1e-3)
    ax.set_xlim(0, top * 1.05)
    ticks = even_ticks(top)
    ax.set_xticks(ticks, [number(tick) for tick in ticks])
    ax.set_ylim(len(chosen) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)


def _words(part: Part) -> Caption:
    subtitle = f"{part.about} · at the highest rate at which most keep up, else the nearest that was measured"
    caption = conditions(part.tables.manifest, part.rows, invalid_are="left out")
    return Caption(COST.title, subtitle, caption)


def _unfit(part: Part) -> str:
    return "" if part.rows["valid"].astype(bool).any() else f"{part.about}: no trial is valid"


COST: Final = Entry(
    name="cost",
    title="What it costs",
    parts=by_condition,
    words=_words,
    draw=lambda part, words: cost_by_role(part.rows, words),
    compares=lambda part: part.rows.groupby(["strategy", "variant"]).ngroups > 1,
    unfit=_unfit,
)
