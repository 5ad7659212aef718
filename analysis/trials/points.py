"""The answers of a campaign: between which rates each subject gives way, for every question."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.queueing import saturation_rate
from analysis.trials.brackets import Bracket
from analysis.trials.bursts import share_under_bursts
from analysis.trials.cores import usable_cores
from analysis.trials.edge_slowness import UNASKED, at_edges
from analysis.trials.endings import Ending, ending, wider_because
from analysis.trials.full_cores import core_bound
from analysis.trials.questions import BLOCKING, QUESTIONS, Question, Rows, asked_of
from analysis.trials.unmeasured import Key, key_of, reason, unmeasured
from results.failures import Failure
from results.schema import Manifest, Point
from results.terms import REQUEST, pattern_of

CONDITION: Final = ["kind", "duration_ms", "topology"]
_KEYS: Final = ["strategy", "variant", *CONDITION]
UNSEEN: Final = "nobody sees when its tasks end"
"""why the work of a service is not said to fall behind"""
_EDGES: Final = ("held_per_s", "failed_per_s")


def find_points(
    summary: pd.DataFrame,
    manifest: Manifest,
    failures: Sequence[Failure] = (),
    *,
    simulated: Callable[[Mapping[str, Any]], bool] = lambda _about: True,
) -> pd.DataFrame:
    """Return one row for each subject, condition and question, from all valid trials at a fixed rate.

    `question` is the name of one of `QUESTIONS`; `held_per_s` and `failed_per_s` are the interval's edges,
    NaN where it is open; `by` names the streams that gave way, where the question names any; `ceiling_per_s`
    and `predicted_per_s` are what theory says, the latter of a point that was `searched`: infinite where it
    never gives way, NaN where theory is silent; `certain` is False where an edge stands on a verdict whose
    margin of error crosses the limit, `disputed` True where verdicts disagreed and the interval was widened,
    and `shaky` marks both; `ending` is how the interval ended, see `endings.Ending`, and `wider_because` why
    it is wider than asked; of the blocking point, `held_slow_share` and what else `edge_slowness.at_edges`
    tells; `core_bound` names whose core was near full at an edge, so that the point moves with the machine;
    `burst_share` is what mild bursts would leave of the blocking rate, simulated and NaN where theory is
    silent; `trials`, `invalid` and `load_s` say what it cost. What was to be measured and has no sealed trial
    has rows, too: `missing` says why, by the `failures`, if they tell.

    Bursts take long to simulate; that is done where `simulated` says so of a subject and condition, else
    `burst_share` is NaN.
    """
    rows: list[dict[str, Any]] = []
    seen: set[Key] = set()
    for key, own in _measured(summary):
        about = dict(zip(_KEYS, key, strict=True))
        strategy, variant, *condition = key
        seen.add((f"{strategy}/{variant}", *condition))
        share = share_under_bursts(about, manifest) if simulated(about) else np.nan
        rows += _rows(about, own, manifest, failures, share)
    for absent, why in unmeasured(manifest, seen, failures):
        rows += _absent(absent, why, manifest)
    return pd.DataFrame(rows)


def _measured(summary: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    if len(summary):
        yield from at_rates(summary[~summary["closed"].astype(bool)]).groupby(_KEYS, sort=True)


def _absent(key: Key, why: str, manifest: Manifest) -> Iterator[dict[str, Any]]:
    """Yield the rows of what was not measured."""
    subject, kind, duration_ms, topology = key
    declared = {each.key: each for each in manifest.subjects}.get(subject)
    service = declared.services.get(kind) if declared else None
    if declared is None or (service is None and kind != REQUEST.name):
        return
    strategy, variant = declared.strategy, declared.variant
    about = dict(zip(_KEYS, (strategy, variant, kind, duration_ms, topology), strict=True))
    cores = usable_cores(manifest, topology, "worker" if declared.workers else "web")
    lasting = manifest.traffic.lasting
    ceiling = saturation_rate(service, kind, duration_ms, cores, lasting) if service else None
    searched = _searched(about, manifest)
    slots = service.slots if service else 0
    about |= {"slots": slots, "ceiling_per_s": np.nan if ceiling is None else ceiling}
    for question in QUESTIONS.values():
        yield about | _unanswered(question, searched, manifest, why)


def _unanswered(question: Question, searched: Point | None, manifest: Manifest, why: str) -> dict[str, Any]:
    """Return what a row says of a question for whose answer there is no trial."""
    return {
        "limit_ms": manifest.limit_ms,
        "trials": 0,
        "invalid": 0,
        "load_s": 0.0,
        "question": question.name,
        "searched": searched is not None,
        "predicted_per_s": _predicted_per_s(question, searched, manifest),
        "held_per_s": np.nan,
        "failed_per_s": np.nan,
        "by": "",
        "certain": True,
        "disputed": False,
        "shaky": False,
        "burst_share": np.nan,
        "ending": str(Ending.UNKNOWN),
        "wider_because": "",
        **UNASKED,
        "core_bound": "",
        "missing": why,
    }


def unseen(row: Mapping[Any, Any]) -> bool:
    """Say whether a row of points is of a question that cannot be asked: nobody sees a task's end."""
    return row.get("missing") == UNSEEN


def without_trials(manifest: Manifest, failures: Sequence[Failure]) -> pd.DataFrame:
    """Return the points of a campaign in which nothing could be measured."""
    return find_points(pd.DataFrame(), manifest, failures)


def by_question(own: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the rows of one subject and condition by their question."""
    return {row["question"]: row for row in _records(own)}


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dictionaries, four times as fast as pandas does where few rows have many columns."""
    columns = {str(name): rows[name].tolist() for name in rows}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def edges(row: Mapping[Any, Any]) -> Bracket:
    """Return the interval of a row of points."""
    held, failed = (None if np.isnan(row[name]) else float(row[name]) for name in _EDGES)
    return Bracket(held, failed, disputed=bool(row["disputed"]))


def at_rates(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that belong on a rate axis: of each subject and condition those that rank first.

    So a `ramp` stands in where a subject has nothing `steady`.
    """
    told = [pattern_of(str(name)).rank for name in summary["scenario"]]
    ranks = pd.Series(told, summary.index, dtype=float)
    first = (ranks == ranks.groupby([summary[key] for key in _KEYS]).transform("min")).to_numpy()
    return summary[first].iloc[np.argsort(ranks[first], kind="stable")]


def _rows(
    key: dict[str, Any], own: pd.DataFrame, manifest: Manifest, failures: Sequence[Failure], share: float
) -> Iterator[dict[str, Any]]:
    valid = own[own["valid"].astype(bool)]
    searched = _searched(key, manifest)
    failed = reason((f"{key['strategy']}/{key['variant']}", *(key[name] for name in CONDITION)), failures)
    ceiling = float(own["ceiling_per_s"].iloc[0])
    about = {
        **key,
        "slots": int(own["slots"].iloc[0]),
        "limit_ms": manifest.limit_ms,
        "ceiling_per_s": ceiling,
        "trials": len(valid),
        "invalid": len(own) - len(valid),
        "load_s": float(own["load_s"].sum()),
        "burst_share": share,
    }
    records = _records(valid)
    asked = asked_of(manifest.subject(f"{key['strategy']}/{key['variant']}"))
    for question in QUESTIONS.values():
        if question.name in asked:
            yield about | _answered(question, searched, manifest, own, records, failed=failed)
        else:
            yield about | _unanswered(question, searched, manifest, UNSEEN)


def _answered(
    question: Question,
    searched: Point | None,
    manifest: Manifest,
    own: pd.DataFrame,
    records: Rows,
    *,
    failed: str,
) -> dict[str, Any]:
    """Return what a row says of a question; `records` are those of its `own` trials that are valid."""
    found, certain = question.interval(records, manifest.limit_ms, manifest.precision)
    predicted_per_s = _predicted_per_s(question, searched, manifest)
    ended = ending(found, searched, predicted_per_s, manifest.precision)
    return {
        "question": question.name,
        "searched": searched is not None,
        "predicted_per_s": predicted_per_s,
        "held_per_s": found.held or np.nan,
        "failed_per_s": found.failed or np.nan,
        "by": _by(question, records, found) if question.by_column else "",
        "certain": certain,
        "disputed": found.disputed,
        "shaky": found.disputed or not certain,
        "ending": str(ended),
        "wider_because": wider_because(ended, found, own, failed, sure=certain),
        **(at_edges(records, found, manifest.limit_ms) if question.name == BLOCKING else UNASKED),
        "core_bound": core_bound(records, found, manifest),
        "missing": "",
    }


def _searched(key: dict[str, Any], manifest: Manifest) -> Point | None:
    """Return the point of a search that a subject and condition are; None where no search was made."""
    subject = f"{key['strategy']}/{key['variant']}"
    wanted = (subject, *(key[name] for name in CONDITION))
    return next((point for point in manifest.points if key_of(point) == wanted), None)


def _predicted_per_s(question: Question, searched: Point | None, manifest: Manifest) -> float:
    """Return what theory says of a searched point; NaN where it says nothing."""
    if searched is None:
        return np.nan
    rate = question.expected(searched, manifest.subject(searched.subject), manifest.limit_ms)
    return np.nan if rate is None else rate


def _by(question: Question, records: Rows, found: Bracket) -> str:
    """Return the streams that gave way at the failed rate, the first one first."""
    failed = [row for row in records if row[question.column]]
    if not failed:
        return ""
    at = found.failed if found.failed is not None else min(row["offered_per_s"] for row in failed)
    named = [row[question.by_column] for row in failed if row["offered_per_s"] == at]
    return ", ".join(dict.fromkeys(name for text in named for name in text.split(", ") if name))
