"""What changes an answer, a line each: nothing was measured, verdicts disagree, the search is unfinished."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from analysis.format import milliseconds
from analysis.trials.endings import Ending
from analysis.trials.points import CONDITION, by_question, unseen
from analysis.trials.ranking import ranked
from results.text import visible

MOST: Final = 6
"""lines; what else there is stands in the report"""
_NAMES: Final = 0.3
"""share of a line that names may take where the text is long"""
_MORE: Final = " and {} more"


def remarks(points: pd.DataFrame, width: int) -> list[str]:
    """Return the lines below a table of these points, the gravest first; those of one text are one line."""
    whose: dict[tuple[int, str], list[str]] = {}
    for name, rows in _cells(points):
        for remark in dict.fromkeys(filter(None, map(_remark, rows.values()))):
            whose.setdefault(remark, []).append(name)
    lines = [_line(whose[remark], remark[1], width) for remark in sorted(whose, key=lambda each: each[0])]
    more = len(lines) - MOST
    return lines if more <= 0 else [*lines[:MOST], f"and {more} more such remarks, in the report"]


def _cells(points: pd.DataFrame) -> Iterator[tuple[str, dict[str, dict[str, Any]]]]:
    """Yield every subject under every condition, by a name that tells it from the others."""
    several = [key for key in CONDITION if points[key].nunique() > 1]
    for strategy, variant in ranked(points):
        own = points[(points["strategy"] == strategy) & (points["variant"] == variant)]
        for _, rows in own.groupby(CONDITION, sort=True):
            told = by_question(rows)
            where = next(iter(told.values()))
            yield " ".join([f"{strategy}/{variant}", *(_word(key, where[key]) for key in several)]), told


def _word(key: str, value: Any) -> str:
    return milliseconds(value) if key == "duration_ms" else str(value)


def _remark(row: Mapping[str, Any]) -> tuple[int, str] | None:
    """Return what changes an answer, and its rank; None where nothing does."""
    if unseen(row):
        return None
    if not row["trials"]:
        return 0, f"not measured: {visible(str(row['missing'])) or 'no trial counted'}"
    if row["disputed"]:
        return 1, "verdicts disagree"
    ended = Ending(row["ending"])
    if ended is Ending.UNKNOWN:
        return 1, "not found"
    return (2, f"unfinished: {visible(str(row['wider_because']))}") if ended.open else None


def _line(names: Sequence[str], text: str, width: int) -> str:
    """Return as many names as there is room for, and the text; what is too long is cut."""
    room = max(width - len(text) - len(_MORE.format(len(names))) - 2, width * _NAMES)
    shown = [names[0]]
    for name in names[1:]:
        if len(", ".join([*shown, name])) > room:
            break
        shown.append(name)
    left = len(names) - len(shown)
    line = f"{', '.join(shown)}{_MORE.format(left) if left else ''}: {text}"
    return line if len(line) <= width else f"{line[: width - 1]}…"
