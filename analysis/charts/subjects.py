"""How subjects look where many share one pair of axes: a colour a strategy, a line and a mark a variant."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.charts.style import colour, variant_style
from analysis.order import subjects


@dataclass(frozen=True)
class Look:
    """How one subject is drawn."""

    name: str
    colour: str
    line: Any
    marker: str


Looks = dict[tuple[str, str], Look]


def looks_of(rows: pd.DataFrame) -> Looks:
    """Return how every subject is drawn; its variant is named where the strategy has several."""
    variants = rows.groupby("strategy")["variant"].nunique()
    return {
        (strategy, variant): Look(
            f"{strategy} · {variant}" if variants[strategy] > 1 else strategy,
            colour(strategy),
            *variant_style(variant),
        )
        for strategy, variant, _ in subjects(rows)
    }
