"""A spike over a base load, second by second, and how long each strategy takes to recover."""

from collections.abc import Callable
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.grid import Caption, Shape, head, limit_line, make_grid
from analysis.charts.scales import FLOOR_MS, even_ticks, linear_axis, log_axis
from analysis.charts.series import top_of
from analysis.charts.style import MUTED, colour
from analysis.format import number
from analysis.order import subjects

ROWS: Final = 3
_LATENCIES: Final = ["accept_worst_ms", "ping_worst_ms", "ping_sync_worst_ms"]


def burst_timeline(bins: pd.DataFrame, words: Caption) -> Figure:
    """Draw arrivals and completions, the backlog, and bystander latency over time; three panels a subject.

    `bins` are rows of `trials.timeline.timeline`; of a subject's bursts the first valid one is drawn.
    Latencies share their scale; rates and backlogs do not, since each subject's burst fits its own ceiling.
    """
    chosen = [(s, v, _first(rows)) for s, v, rows in subjects(bins)]
    columns = min(len(chosen), 4) if len(chosen) != 6 else 3
    blocks = -(-len(chosen) // columns)
    shape = Shape(columns, {1: 5.8, 2: 3.8, 3: 2.7}.get(columns, 2.1), 1.15, 0.62, group=ROWS)
    figure, axes = make_grid(blocks * ROWS * columns, shape, words, rows=blocks * ROWS)
    drawn = pd.concat([rows for *_, rows in chosen])
    end = float(drawn["at_s"].max())
    for place in range(blocks * columns):
        block, column = divmod(place, columns)
        column_axes = [axes[(block * ROWS + row) * columns + column] for row in range(ROWS)]
        if place >= len(chosen):
            for ax in column_axes:
                ax.remove()
            continue
        strategy, variant, rows = chosen[place]
        rates, backlog, latency = column_axes
        valid = bool(rows["valid"].all())
        shade = colour(strategy) if valid else MUTED
        _rates(rates, rows, shade)
        _backlog(backlog, rows, shade)
        _latency(latency, rows, shade, max(top_of(drawn, _LATENCIES), drawn["limit_ms"].iloc[0]) * 2)
        recovered = recovery_s(rows)
        detail = "backlog not gone while watched"
        if recovered is not None:
            detail = f"recovered at {number(recovered)} s"
        head(rates, f"{strategy} · {variant}", detail if valid else f"INVALID trial · {detail}", shade)
        _time(column_axes, end, leftmost=column == 0)
    return figure


def recovery_s(rows: pd.DataFrame) -> float | None:
    """Return when the backlog is back at what it was before the spike, or at none; None if it never is."""
    peak = int(rows["backlog"].to_numpy().argmax())
    before = rows["backlog"].iloc[: max(peak // 2, 1)].median()
    after = rows.iloc[peak:]
    back = after[after["backlog"] <= max(before * 1.5, 3)]
    return float(back["at_s"].iloc[0]) if len(back) else None


def _first(rows: pd.DataFrame) -> pd.DataFrame:
    valid = rows[rows["valid"].astype(bool)]
    kept = valid if len(valid) else rows
    same = (kept["trial_id"] == kept["trial_id"].iloc[0]) & (kept["attempt"] == kept["attempt"].iloc[0])
    return pd.DataFrame(kept[same])


def _rates(ax: Axes, rows: pd.DataFrame, shade: str) -> None:
    ax.fill_between(rows["at_s"], rows["arrivals_per_s"], color="#CCCCCC", linewidth=0, step="mid")
    ax.plot(rows["at_s"], rows["completed_per_s"], color=shade, linewidth=1.2)
    linear_axis(ax, top_of(rows, ["arrivals_per_s", "completed_per_s"]))


def _backlog(ax: Axes, rows: pd.DataFrame, shade: str) -> None:
    ax.fill_between(rows["at_s"], rows["backlog"], color=shade, alpha=0.3, linewidth=0)
    ax.plot(rows["at_s"], rows["backlog"], color=shade, linewidth=1.2)
    linear_axis(ax, top_of(rows, ["backlog"]))


def _latency(ax: Axes, rows: pd.DataFrame, shade: str, top: float) -> None:
    log_axis(ax, FLOOR_MS, top, "y", time=True, limit=4)
    limit_line(ax, float(rows["limit_ms"].iloc[0]), named=False)
    looks = {
        "accept_worst_ms": (shade, "-", 1.4),
        "ping_worst_ms": ("#8A8A8A", "-", 1.1),
        "ping_sync_worst_ms": ("#222222", (0, (3, 1)), 1.1),
    }
    for column, (ink, line, width) in looks.items():
        known = rows.dropna(subset=[column])
        values = known[column].clip(lower=FLOOR_MS)
        ax.plot(known["at_s"], values, color=ink, linestyle=line, linewidth=width)


def _time(axes: list[Axes], end: float, *, leftmost: bool) -> None:
    names = ("tasks/s", "backlog", "worst latency")
    label: Callable[[float], str] = number
    for ax, name in zip(axes, names, strict=True):
        ax.set_xlim(0, end)
        places = even_ticks(end)
        ax.set_xticks(places, [label(place) for place in places])
        if leftmost:
            ax.set_ylabel(name, fontsize=8)
        elif ax is axes[-1]:
            ax.tick_params(labelleft=False)
        if ax is not axes[-1]:
            ax.tick_params(labelbottom=False)
    axes[-1].set_xlabel("seconds", fontsize=8, color=MUTED)
