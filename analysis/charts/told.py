"""What a mark of a chart tells whoever asks it."""

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.format import milliseconds, number
from analysis.trials.endings import Ending
from analysis.trials.point_table import interval
from analysis.trials.points import edges
from analysis.trials.questions import QUESTIONS
from analysis.trials.stretches import Rows


def of_point(row: Mapping[str, Any]) -> str:
    """Tell where one thing gives way, by a row of points."""
    return f"{_subject(row)}: {_where(row)}"


def of_reach(rows: Rows, tried_per_s: Sequence[float]) -> str:
    """Tell where everything gives way, by the points of one subject and condition."""
    one = next(iter(rows.values()))
    tried = " to ".join(dict.fromkeys((number(min(tried_per_s)), number(max(tried_per_s)))))
    return f"{_subject(one)}: {'; '.join([*map(_where, rows.values()), f'tried at {tried}/s'])}"


def wait_words(what: str, limit_ms: float, value_ms: float, *, at_least: bool) -> str:
    """Tell how long something took, and on which side of the limit that is."""
    side = "above" if value_ms > limit_ms else "within"
    bound = "at least " if at_least else ""
    return f"p99 of {what} {bound}{milliseconds(value_ms)}, {side} {milliseconds(limit_ms)}"


def completed(per_s: float, *, at_least: bool) -> str:
    """Tell how much was done."""
    return f"{number(per_s)}/s completed{' or more' if at_least else ''}"


def _subject(row: Mapping[str, Any]) -> str:
    return f"{row['strategy']}/{row['variant']}, tasks of {milliseconds(row['duration_ms'])}"


def _where(row: Mapping[str, Any]) -> str:
    where = interval(edges(row), shaky=bool(row["shaky"]), ending=Ending(row["ending"]))
    return f"{QUESTIONS[row['question']].words}: {where}"
