"""The answers of a campaign on one screen of text: a row a subject, who carries furthest first."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any, Final

import pandas as pd

from analysis.format import milliseconds, number
from analysis.trials.burst_words import note_on_bursts
from analysis.trials.endings import Ending
from analysis.trials.point_table import MOVES, SHAKY, moved_by
from analysis.trials.points import by_question, edges, unseen
from analysis.trials.questions import QUESTIONS
from analysis.trials.ranking import ranked
from analysis.trials.remarks import remarks
from results.terms import REQUEST

WIDTH: Final = 100
"""columns of a terminal that the lines need"""
OPEN: Final = "?"
"""stands behind an edge that the search did not come to an end with"""
NEVER: Final = "no rate"
NOT_MEASURED: Final = "not measured"
NOT_SEEN: Final = "not seen"
"""in the place of a question that cannot be asked of a service"""
_BESIDE: Final = " / "
_GAP: Final = "  "
Cell = tuple[str, ...]
"""a figure for each question; one alone where there is none"""


def reach_lines(points: pd.DataFrame, width: int = WIDTH) -> list[str]:
    """Return rows of `analysis.trials.points.find_points` as lines of text, none wider than that.

    A table for each kind and topology, as the chart has a picture for each; intervals where they fit, else
    the rates that held.
    """
    if not len(points):
        return []
    parts = list(points.groupby(["kind", "topology"], sort=True))
    lines: list[str] = []
    for (kind, topology), own in parts:
        lines += [f"{kind}, {topology}"] if len(parts) > 1 else []
        lines += _table(own, width)
    return [*lines, "", *remarks(points, width), *_legend(points, lines, width)]


def _table(own: pd.DataFrame, width: int) -> list[str]:
    """Return the lines of a kind and topology; durations that do not fit beside each other go below."""
    names = ranked(own)
    first = [" / ".join(question.reach for question in QUESTIONS.values()), *map("/".join, names)]
    for whole in (True, False):
        columns = [_column(own, names, duration, whole=whole) for duration in sorted(set(own["duration_ms"]))]
        tables = _pack(first, columns, width)
        if len(tables) == 1:
            break
    return [_GAP.join(row).rstrip() for table in tables for row in zip(*map(_even, table), strict=True)]


def _pack(first: list[str], columns: Sequence[list[str]], width: int) -> list[list[list[str]]]:
    """Return the columns in as many tables as the width asks for, each with the names first."""
    tables = [[first]]
    for column in columns:
        used = sum(len(_GAP) + max(map(len, each)) for each in [*tables[-1], column]) - len(_GAP)
        if used > width and len(tables[-1]) > 1:
            tables.append([first])
        tables[-1].append(column)
    return tables


def _even(column: Sequence[str]) -> list[str]:
    longest = max(map(len, column))
    return [text.ljust(longest) for text in column]


def _column(
    own: pd.DataFrame, names: Sequence[tuple[str, str]], duration_ms: float, *, whole: bool
) -> list[str]:
    """Return a duration's heading and its cells, the figures of each question below each other."""
    same = own[own["duration_ms"] == duration_ms]
    cells = [_cell(same[(same["strategy"] == s) & (same["variant"] == v)], whole=whole) for s, v in names]
    longest = [max(map(len, told)) for told in zip_longest(*_full(cells), fillvalue="")]
    heading = REQUEST.name if set(same["kind"]) == {REQUEST.name} else milliseconds(duration_ms)
    return [heading, *(_joined(cell, longest) for cell in cells)]


def _full(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if len(cell) > 1]


def _joined(cell: Cell, longest: Sequence[int]) -> str:
    if len(cell) == 1:
        return cell[0]
    return _BESIDE.join(text.rjust(wide) for text, wide in zip(cell, longest, strict=True))


def _cell(rows: pd.DataFrame, *, whole: bool) -> Cell:
    found = by_question(rows)
    if not found:
        return ("",)
    if not any(row["trials"] for row in found.values()):
        return (NOT_MEASURED,)
    return tuple(figure(found[name], whole=whole) for name in QUESTIONS)


def figure(row: Mapping[str, Any], *, whole: bool = True) -> str:
    """Return up to which rate a point held, with its marks: as an interval, or its lower edge alone."""
    ended = Ending(row["ending"])
    before = SHAKY if row["shaky"] else ""
    behind = (MOVES if row["core_bound"] else "") + (OPEN if ended.open else "")
    return f"{before}{_rates(row, ended, whole=whole)}{behind}"


def _rates(row: Mapping[str, Any], ended: Ending, *, whole: bool) -> str:
    found = edges(row)
    if unseen(row):
        return NOT_SEEN
    if ended is Ending.EVERYWHERE:
        return NEVER
    if found.held and found.failed:
        both = whole or ended is Ending.UNFINISHED
        return f"{number(found.held)} to {number(found.failed)}" if both else number(found.held)
    if found.held:
        return f"> {number(found.held)}"
    return f"< {number(found.failed)}" if found.failed else "not found"


def _legend(points: pd.DataFrame, shown: Sequence[str], width: int) -> list[str]:
    """Return what the words and those marks mean that are shown, and what bursts would make of it."""
    limit = milliseconds(float(points["limit_ms"].iloc[0]))
    meanings = (
        f"{q.label}: {q.criterion.format(limit=limit) or q.meaning_at(limit)}" for q in QUESTIONS.values()
    )
    marks = "; ".join(_marks(points, "\n".join(shown), limit))
    texts = (f"tasks/s; {'; '.join(meanings)}", marks, note_on_bursts(points))
    return [line for text in texts if text for line in textwrap.wrap(text, width)]


def _marks(points: pd.DataFrame, shown: str, limit: str) -> Iterator[str]:
    if NEVER in shown:
        yield f"{NEVER}: a task takes longer than {limit}"
    if SHAKY in shown:
        yield f"{SHAKY} a repeat may move it"
    if MOVES in shown:
        yield moved_by(set(points["core_bound"]))
    if OPEN in shown:
        yield f"{OPEN} unfinished"
    if "> " in shown:
        yield "> nothing failed above it"
