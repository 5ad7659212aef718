"""Where too many subjects would share one pair of axes: a panel a strategy, all others pale behind it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.charts.grid import Caption, Shape, head, make_grid
from analysis.charts.style import FAINT, colour
from analysis.order import family, order, subjects

Floats = npt.NDArray[np.float64]
Curve = tuple[Floats, Floats]

TOGETHER: Final = 12
"""as many lines with their names can be told apart on one pair of axes"""
COLUMNS: Final = 4
_SHAPE: Final = Shape(COLUMNS, panel_width=2.05, panel_height=1.55)


def crowded(rows: pd.DataFrame) -> bool:
    """Say whether there are too many subjects for one pair of axes."""
    return sum(1 for _ in subjects(rows)) > TOGETHER


def make_panels(
    rows: pd.DataFrame, words: Caption, key: Sequence[Artist] = (), blocks: int = 1
) -> tuple[Figure, list[dict[str, Axes]]]:
    """Return a figure with a panel a strategy, by name; of several blocks each begins a row of its own."""
    strategies = sorted(set(rows["strategy"]), key=order)
    across = COLUMNS
    length = -(-len(strategies) // across) * across
    figure, axes = make_grid(blocks * length, _SHAPE, words, key=key)
    made = []
    for start in range(0, blocks * length, length):
        own = axes[start : start + length]
        for spare in own[len(strategies) :]:
            spare.remove()
        made.append(dict(zip(strategies, own, strict=False)))
    return figure, made


def draw_panels(
    panels: dict[str, Axes],
    rows: pd.DataFrame,
    prepare: Callable[[Axes], None],
    draw: Callable[[Axes, pd.DataFrame], None],
    curves: Callable[[pd.DataFrame], Iterable[Curve]],
) -> None:
    """Draw a strategy's rows into its panel, the `curves` of all other strategies behind them.

    `prepare` sets a panel's axes.
    """
    pale = {name: _joined(curves(rows[rows["strategy"] != name])) for name in panels}
    for place, (strategy, ax) in enumerate(panels.items()):
        prepare(ax)
        ax.plot(*pale[strategy], color=FAINT, linewidth=0.9, zorder=1.2, label="others")
        head(ax, strategy, family(strategy), colour(strategy))
        draw(ax, rows[rows["strategy"] == strategy])
        if place % COLUMNS:
            ax.tick_params(labelleft=False)


def _joined(curves: Iterable[Curve]) -> Curve:
    """Return all curves as one line with gaps, which is one element of a page."""
    parts = [np.append(np.array(curve, float), [[np.nan], [np.nan]], axis=1) for curve in curves]
    x, y = np.concatenate(parts, axis=1) if parts else np.empty((2, 0))
    return x, y
