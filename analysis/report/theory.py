"""Theory beside measurement as a page prints it: `predictions.predict` in words."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.format import milliseconds, number
from analysis.order import subjects
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.predictions import QUANTITIES, agreement

_RHO: Final = "\N{GREEK SMALL LETTER RHO}"
MOST: Final = 300
"""lines on a page; all of them are in `derived/predictions.csv`"""


@dataclass(frozen=True)
class Quantity:
    """One quantity of one step."""

    predicted: str
    """empty where theory says nothing of it"""
    measured: str
    agrees: bool


@dataclass(frozen=True)
class Line:
    """One step of a valid trial."""

    strategy: str
    variant: str
    condition: str
    offered: str
    rho: str
    steady: str
    """p99 of a pool's wait in steady state (M/D/c); empty where it has none"""
    pairs: list[Quantity]


@dataclass(frozen=True)
class Score:
    """How often theory agreed on a quantity."""

    name: str
    """one of `QUANTITIES`"""
    agreed: int
    asked: int

    @property
    def label(self) -> str:
        """The quantity in words."""
        return QUANTITIES[self.name]


def scores(predictions: pd.DataFrame) -> list[Score]:
    """Return the score of each quantity of which theory said something in a valid trial."""
    found = {name: agreement(predictions, name) for name in QUANTITIES}
    return [Score(name, int(agreed.sum()), len(agreed)) for name, agreed in found.items() if len(agreed)]


def lines(predictions: pd.DataFrame) -> list[Line]:
    """Return the steps of valid trials, by subject and load; their pairs are in the order of `scores`."""
    valid = predictions[predictions["valid"].astype(bool)]
    names = [score.name for score in scores(predictions)]
    return [
        _line(row, names)
        for _, _, own in subjects(valid)
        for _, row in own.sort_values(["kind", "duration_ms", "topology", "offered_per_s"]).iterrows()
    ]


def predicted_table(predictions: pd.DataFrame) -> Table:
    """Return the lines as a table of `predicted / measured`."""
    found = scores(predictions)
    columns = [Column("Tasks", numeric=False), Column("Offered /s"), Column(_RHO)]
    columns += [Column(score.label.capitalize() + " /s" * score.name.endswith("_per_s")) for score in found]
    rows = [_row(line) for line in lines(predictions)[:MOST]]
    return Table("predictions", "Predicted / measured", [*columns, Column("M/D/c wait p99")], rows)


def _row(line: Line) -> Row:
    values = [Value(line.condition), Value(line.offered), Value(line.rho or NOTHING)]
    values += [_value(pair) for pair in line.pairs]
    return Row(line.strategy, line.variant, [*values, Value(line.steady or NOTHING)])


def _value(pair: Quantity) -> Value:
    if not pair.predicted:
        return Value(NOTHING, look="unsure")
    return Value(f"{pair.predicted} / {pair.measured}", look="" if pair.agrees else "bad")


def _line(row: pd.Series, names: list[str]) -> Line:
    steady = float(row["mdc_wait_p99_ms"])
    condition = f"{row['kind']} {milliseconds(row['duration_ms'])}, {row['topology']}, {row['scenario']}"
    return Line(
        strategy=row["strategy"],
        variant=row["variant"],
        condition=condition,
        offered=number(row["offered_per_s"]),
        rho=number(row["rho"]) if np.isfinite(row["rho"]) else "",
        steady=milliseconds(steady) if np.isfinite(steady) else "no limit" if np.isinf(steady) else "",
        pairs=[_pair(row, name) for name in names],
    )


def _pair(row: pd.Series, name: str) -> Quantity:
    say = milliseconds if name.endswith("_ms") else number
    theory, truth = row[f"predicted_{name}"], row[f"measured_{name}"]
    known = bool(np.isfinite(theory))
    return Quantity(say(theory) if known else "", say(truth), agrees=known and bool(row[f"agrees_{name}"]))
