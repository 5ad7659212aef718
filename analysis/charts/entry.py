"""What a chart of the catalogue is: one entry, and the charts that come of it for one campaign."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from analysis.charts.grid import Caption


@dataclass(frozen=True)
class Chart:
    """A chart that can be drawn, or the reason why it cannot."""

    name: str
    """file name without suffix"""
    words: Caption
    draw: Callable[[], Figure] | None
    """None where the campaign has nothing to fill it with; then the caption says what is missing"""
    first: bool = False
    """the page shows it with the answer, before all others"""


@dataclass(frozen=True)
class Part:
    """What one chart shows of a campaign."""

    tables: Any
    """all tables of the campaign: `Derived`, or `Drills`"""
    rows: pd.DataFrame
    tail: str = ""
    """ends the chart's name"""
    about: str = ""
    """in words: what the rows have in common"""
    head: str = ""
    """begins the chart's name; empty: the entry's name does"""
    trials: pd.DataFrame = field(default_factory=pd.DataFrame)
    """the rows of the summary that `rows` were made from, where they are others"""


@dataclass(frozen=True)
class Entry:
    """One kind of chart."""

    name: str
    title: str
    """as it stands where the chart cannot be drawn"""
    parts: Callable[[Any], Iterable[Part]]
    """what of a campaign gets such a chart; where nothing does, it does not apply"""
    words: Callable[[Part], Caption]
    draw: Callable[[Part, Caption], Figure]
    needs: Callable[[Any], str] = lambda _tables: ""
    """of a campaign without a part: what is missing; empty where that need not be said"""
    unfit: Callable[[Part], str] = lambda _part: ""
    """why a part cannot be drawn; empty where it can"""
    compares: Callable[[Part], bool] = lambda _part: True
    """whether a part holds anything to compare; one that does not has no chart, and no word of it"""
    first: bool = False
    """the page shows it with the answer"""

    def chart(self, part: Part) -> Chart:
        """Return the chart of a part."""
        name = "-".join(filter(None, (part.head or self.name, part.tail)))
        if reason := self.unfit(part):
            return self._missing(name, reason)
        words = self.words(part)
        return Chart(name, words, lambda: self.draw(part, words), self.first)

    def absent(self, tables: Any) -> Iterator[Chart]:
        """Yield what stands in the place of all charts of a campaign that has no part."""
        if reason := self.needs(tables):
            yield self._missing(self.name, reason)

    def _missing(self, name: str, reason: str) -> Chart:
        return Chart(name, Caption(self.title, "", f"Not drawn: {reason}."), None, self.first)


def charts(entries: Sequence[Entry], tables: Any) -> Iterator[Chart]:
    """Yield the charts of a campaign; neighbours of the same parts take turns, a part after the other."""
    for parts_of, alike in itertools.groupby(entries, key=lambda entry: entry.parts):
        own, parts = list(alike), list(parts_of(tables))
        for part in parts:
            yield from (entry.chart(part) for entry in own if entry.compares(part))
        if not parts:
            for entry in own:
                yield from entry.absent(tables)
