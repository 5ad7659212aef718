"""A spike over a base load, second by second, and how long each strategy takes to recover."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.conditions import conditions
from analysis.charts.entry import Entry, Part
from analysis.charts.grid import Caption, Shape, head, limit_line, make_grid
from analysis.charts.parts import conditions_of
from analysis.charts.scales import FLOOR_MS, even_ticks, linear_axis, log_axis
from analysis.charts.series import top_of
from analysis.charts.style import MUTED, colour
from analysis.format import number
from analysis.order import subjects
from analysis.trials.derive import Derived
from analysis.trials.timeline import worst_column
from results.terms import Stream

_ROWS: Final = 3
_LATENCIES: Final = [worst_column(stream) for stream in Stream]
_BURST: Final = "burst"
_TRIAL: Final = ["trial_id", "attempt"]


def burst_timeline(bins: pd.DataFrame, words: Caption) -> Figure:
    """Draw arrivals and completions, the backlog, and bystander latency over time; three panels a subject.

    `bins` are rows of `trials.timeline.trial_timeline`; of a subject's bursts the first valid one is drawn.
    Latencies share their scale; rates and backlogs do not, since each subject's burst fits its own ceiling.
    """
    chosen = [(s, v, _first(rows)) for s, v, rows in subjects(bins)]
    columns = min(len(chosen), 4) if len(chosen) != 6 else 3
    blocks = -(-len(chosen) // columns)
    shape = Shape(columns, {1: 5.8, 2: 3.8, 3: 2.7}.get(columns, 2.1), 1.15, 0.62, group=_ROWS)
    figure, axes = make_grid(blocks * _ROWS * columns, shape, words, rows=blocks * _ROWS)
    drawn = pd.concat([rows for *_, rows in chosen])
    end = float(drawn["at_s"].max())
    for place in range(blocks * columns):
        block, column = divmod(place, columns)
        column_axes = [axes[(block * _ROWS + row) * columns + column] for row in range(_ROWS)]
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
        Stream.TASKS: (shade, "-", 1.4),
        Stream.PING: ("#8A8A8A", "-", 1.1),
        Stream.PING_SYNC: ("#222222", (0, (3, 1)), 1.1),
        Stream.PING_DB: ("#A86F00", (0, (1, 1)), 1.1),
    }
    for stream, (ink, line, width) in looks.items():
        column = worst_column(stream)
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


def _parts(derived: Derived) -> Iterator[Part]:
    """Yield the bins of each scenario that is told second by second, by condition; `burst` goes unnamed."""
    if derived.bursts.empty:
        return
    summary = derived.summary.drop_duplicates(_TRIAL).set_index(_TRIAL)
    scenarios = summary["scenario"].reindex(pd.MultiIndex.from_frame(derived.bursts[_TRIAL])).to_numpy()
    for scenario, bins in derived.bursts.groupby(scenarios, sort=True):
        head = "" if str(scenario) == _BURST else f"{_BURST}-{scenario}"
        for part in conditions_of(derived, bins):
            yield replace(part, head=head, trials=_trials(derived, part.rows))


def _trials(derived: Derived, bins: pd.DataFrame) -> pd.DataFrame:
    """Return the summary's rows of the trials that the bins tell of."""
    shown = pd.MultiIndex.from_frame(bins[_TRIAL])
    return derived.summary[pd.MultiIndex.from_frame(derived.summary[_TRIAL]).isin(shown)]


def _words(part: Part) -> Caption:
    subtitle = (
        f"{part.about} · grey area: arrivals, line: completions · worst latency: accepting in colour, "
        "/ping grey, /ping-sync dashed"
    )
    if part.rows[worst_column(Stream.PING_DB)].notna().any():
        subtitle += ", /ping-db dotted"
    scenario = part.trials["scenario"].iloc[0]
    caption = conditions(part.tables.manifest, part.trials, invalid_are="drawn in grey")
    return Caption(f"What a {scenario} does", subtitle, caption)


BURST: Final = Entry(
    name=_BURST,
    title=f"What a {_BURST} does",
    parts=_parts,
    words=_words,
    draw=lambda part, words: burst_timeline(part.rows, words),
)
