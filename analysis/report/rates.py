"""The cells that tell a rate: those that move when another limit judges."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from analysis.format import milliseconds, number
from analysis.report.table import NOTHING, Column, Row, Table, Value
from analysis.trials.point_table import NOT_PREDICTED, Answer, Found, answers
from analysis.trials.questions import QUESTIONS, Question
from results.schema import Manifest

_IN_NEEDS: Final = "needs"
_IN_POINTS: Final = "points"


def reliable_rates(points: pd.DataFrame, manifest: Manifest) -> dict[str, Value]:
    """Return up to which rate each thing holds, by `point_key`; where that is not known, a word says why."""
    held = held_rates(points)
    return {
        key: _reliable(key, answer, name, held[key], manifest)
        for answer in answers(points)
        for name in QUESTIONS
        for key in [_key(answer, name)]
    }


def point_key(subject: str, kind: str, duration_ms: float, topology: str, question: str) -> str:
    """Return by what the answer to one question under one condition is found."""
    return f"{subject} {kind} {milliseconds(duration_ms)}, {topology} {question}"


def _key(answer: Answer, name: str) -> str:
    return f"{answer.strategy}/{answer.variant} {answer.condition} {name}"


def held_rates(points: pd.DataFrame) -> dict[str, float]:
    """Return the highest rate that held, by `point_key`; 0 where none did."""
    subjects = points["strategy"] + "/" + points["variant"]
    condition = (points[name] for name in ("kind", "duration_ms", "topology", "question"))
    keys = (point_key(*each) for each in zip(subjects, *condition, strict=True))
    return dict(zip(keys, points["held_per_s"].fillna(0).astype(float), strict=True))


def _reliable(key: str, answer: Answer, name: str, held_per_s: float, manifest: Manifest) -> Value:
    found, key = answer.found[name], f"{_IN_NEEDS} {key}"
    if not answer.trials:
        why = found.notes or "no trial passed the gate"
        return Value("refused" if answer.invalid else "untried", source=why, look="unsure", key=key)
    rates, _, ending = found.interval.replace("/s", "").partition(", ")
    told = [
        f"{manifest.campaign}: {answer.trials} valid trials of {answer.condition}",
        found.by,
        found.slow,
        found.notes,
    ]
    return Value(
        rates,
        ending,
        sort=held_per_s,
        source="; ".join(filter(None, told)),
        look="unsure" if found.shaky or found.unfinished else "",
        key=key,
    )


def every_point(points: pd.DataFrame, manifest: Manifest) -> Table:
    """Return the answer to every question under every condition."""
    columns = [Column("tasks", numeric=False)]
    for question in QUESTIONS.values():
        columns.append(Column(question.heading))
        if question.named_by:
            columns.append(Column(question.named_by, numeric=False))
    columns += [Column("Ceiling"), Column("Trials")]
    rows = [Row(answer.strategy, answer.variant, list(_values(answer))) for answer in answers(points)]
    return Table("points", "Every point", columns, rows, milliseconds(manifest.limit_ms))


def _values(answer: Answer) -> Iterator[Value]:
    yield Value(answer.tasks, answer.topology)
    for name, question in QUESTIONS.items():
        yield from _found(answer.found[name], question, f"{_IN_POINTS} {_key(answer, name)}")
    yield Value(answer.ceiling or "none")
    invalid = f" + {answer.invalid} invalid" if answer.invalid else ""
    yield Value(f"{answer.trials}{invalid}", f"{number(answer.load_s)} s of load", float(answer.trials))


def _found(found: Found, question: Question, key: str) -> Iterator[Value]:
    predicted = found.predicted
    if predicted not in {"", NOT_PREDICTED}:
        predicted = f"predicted {predicted}"
    note = "\n".join(filter(None, (found.slow, found.notes, predicted)))
    yield Value(found.interval, note, look=_look(found), key=key)
    if question.named_by:
        yield Value(found.by or NOTHING, key=f"{key} by")


def _look(found: Found) -> str:
    if found.shaky or found.unfinished:
        return "unsure"
    return "bad" if found.gave_way else "good" if ">" in found.interval else ""
