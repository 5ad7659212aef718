"""How subjects look where many share one pair of axes: a colour a strategy, a line and a mark a variant."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.charts.style import colour, variant_style
from analysis.order import subjects


@dataclass(frozen=True)
class Drawn:
    """How one subject is drawn."""

    subject: str
    """as everything names it: `celery/tuned`"""
    name: str
    """as short as the chart allows"""
    colour: str
    line: Any
    marker: str


Drawing = dict[tuple[str, str], Drawn]


def looks_of(rows: pd.DataFrame) -> Drawing:
    """Return how every subject is drawn; its variant is named where the strategy has several."""
    variants = rows.groupby("strategy")["variant"].nunique()
    return {
        (strategy, variant): Drawn(
            f"{strategy}/{variant}",
            f"{strategy} · {variant}" if variants[strategy] > 1 else strategy,
            colour(strategy),
            *variant_style(variant),
        )
        for strategy, variant, _ in subjects(rows)
    }
