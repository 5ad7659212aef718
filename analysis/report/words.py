"""What the numbers say, in plain words: where each subject blocked, by what, and where it fell behind."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.format import listed, milliseconds, number
from analysis.order import subjects
from analysis.report.edges_in_words import edges_in_words
from analysis.trials.brackets import Bracket, Verdict, bracket
from analysis.trials.burst_words import under_bursts
from analysis.trials.point_table import interval
from analysis.trials.points import CONDITION, UNSEEN, at_rates, by_question, edges, unseen
from analysis.trials.questions import BLOCKING, QUESTIONS, SATURATION, Question
from results.terms import ENOUGH_FOR_P99, Stream

_NOTICED_WAIT_MS: Final = 50.0
_NOTICED_CHANCE: Final = 0.15


@dataclass(frozen=True)
class Reading:
    """One subject under one condition, read."""

    strategy: str
    variant: str
    condition: str
    """in words"""
    sentences: list[str]


def read(summary: pd.DataFrame, points: pd.DataFrame) -> list[Reading]:
    """Return a reading for every subject and condition with trials at fixed rates.

    `points` are those of `analysis.trials.points.find_points` for the same summary.
    """
    rows = at_rates(summary[~summary["closed"].astype(bool)])
    readings = []
    for strategy, variant, mine in subjects(rows):
        known = points[(points["strategy"] == strategy) & (points["variant"] == variant)]
        asked = dict(iter(known.groupby(CONDITION)))
        for key, own in mine.groupby(CONDITION, sort=True):
            kind, duration, topology = (str(part) for part in key)
            told = _sentences(own, by_question(asked[key]))
            condition = f"{kind} tasks of {milliseconds(float(duration))}, {topology}"
            readings.append(Reading(strategy, variant, condition, told))
    return readings


def _sentences(own: pd.DataFrame, points: dict[str, dict[str, Any]]) -> list[str]:
    valid = own[own["valid"].astype(bool)]
    if valid.empty:
        return _left_out(own)
    return [
        *(told for question in QUESTIONS.values() for told in _answered(question, valid, points)),
        *_doubts(points),
        *edges_in_words(points),
        *_chance(valid),
        *_few(valid),
        *_waiting(valid),
        *_spread(valid),
        *_losses(valid),
        *_left_out(own),
    ]


def _answered(question: Question, valid: pd.DataFrame, points: dict[str, dict[str, Any]]) -> list[str]:
    if unseen(points[question.name]):
        return [f"Whether {question.words} is not known: {UNSEEN}."]
    tell = {BLOCKING: _blocking, SATURATION: _falling_behind}.get(question.name)
    return tell(valid, points[question.name]) if tell else [_giving_way(question, points[question.name])]


def _giving_way(question: Question, point: dict[str, Any]) -> str:
    """Tell where anything gave way, of which there is no more to say."""
    found = edges(point)
    if found.failed is None and not found.disputed:
        return f"No rate was measured at which {question.words}, up to {number(found.held or 0)}/s."
    by = f" ({point['by']})" if point["by"] else ""
    return f"Where {question.words}{by}: {interval(found, shaky=point['shaky'])}."


def _crossings(valid: pd.DataFrame, stream: Stream) -> list[Verdict]:
    crossed = valid[f"{stream.column}_p99_ms"] > valid["limit_ms"]
    return [Verdict(*pair) for pair in zip(valid["offered_per_s"], crossed, strict=True)]


def _crossed(found: dict[Stream, Bracket]) -> list[Stream]:
    """Return the streams that crossed the limit, the first one first."""
    crossed = [stream for stream, each in found.items() if each.failed is not None or each.disputed]
    return sorted(crossed, key=lambda stream: found[stream].failed or np.inf)


def _blocking(valid: pd.DataFrame, point: dict[str, Any]) -> list[str]:
    found = {stream: bracket(_crossings(valid, stream)) for stream in Stream}
    top = number(valid["offered_per_s"].max())
    crossed = _crossed(found)
    calm = [stream for stream in found if stream not in crossed]
    sentences = [
        f"{stream.words.capitalize()} {_crossing(valid, stream, found[stream])}." for stream in crossed
    ]
    if not crossed:
        sentences.append(f"The API stayed fast at every rate measured, up to {top}/s: {_worst(valid, calm)}.")
    if crossed and calm:
        sentences.append(f"Meanwhile, up to {top}/s, {_worst(valid, calm)}.")
    lightest = valid.sort_values("offered_per_s").iloc[0]
    if point["duration_ms"] > 5 and lightest["accept_p50_ms"] >= lightest["completion_p50_ms"]:
        sentences.append("Here a request waits for its task: accepting takes at least as long as the task.")
    return [*sentences, *under_bursts(point)]


def _crossing(valid: pd.DataFrame, stream: Stream, found: Bracket) -> str:
    limit = milliseconds(valid["limit_ms"].iloc[0])
    if found.failed is None:
        return f"crossed {limit} above {number(found.held or 0)} tasks/s, but not in every trial there"
    after = f"{milliseconds(_p99(valid, stream, found.failed))} at {number(found.failed or 0)}/s"
    disputed = ", though not in every repeat or at every higher rate" if found.disputed else ""
    if found.held is None:
        return f"was above {limit} already at the lowest rate measured (p99 {after}){disputed}"
    before = milliseconds(_p99(valid, stream, found.held))
    return (
        f"crossed {limit} between {number(found.held)} and {number(found.failed or 0)} tasks/s "
        f"(p99 {before}, then {after}){disputed}"
    )


def _p99(valid: pd.DataFrame, stream: Stream, rate: float | None) -> float:
    return float(valid.loc[valid["offered_per_s"] == rate, f"{stream.column}_p99_ms"].max())


def _worst(valid: pd.DataFrame, streams: list[Stream]) -> str:
    known = [(stream, float(valid[f"{stream.column}_p99_ms"].max())) for stream in streams]
    parts = [f"{milliseconds(worst)} for {stream.words}" for stream, worst in known if np.isfinite(worst)]
    return "the p99 was at most " + listed(parts) if parts else "no sample was taken"


def _falling_behind(valid: pd.DataFrame, point: dict[str, Any]) -> list[str]:
    behind, ceiling = edges(point), float(point["ceiling_per_s"])
    best = number(valid["completed_per_s"].max())
    theory = "theory has no ceiling"
    if np.isfinite(ceiling):
        theory = f"theory puts the ceiling at {number(ceiling)}/s"
    if behind.failed is None and behind.disputed:
        return [f"The work fell behind in some trials above {number(behind.held or 0)}/s, but not in all."]
    if behind.failed is None:
        return [f"The work kept up at every rate measured, up to {number(behind.held or 0)}/s ({theory})."]
    disputed = ", with repeats that disagree" if behind.disputed else ""
    rows = valid[valid["offered_per_s"] == behind.failed]
    share = f"{rows['backlog_growth'].max() * 100:.0f} % of its arrivals stayed behind"
    if behind.held is None:
        start = f"The work fell behind already at the lowest rate measured, {number(behind.failed)}/s"
    else:
        start = f"The work kept up at {number(behind.held)}/s and fell behind at {number(behind.failed)}/s"
    return [f"{start}, where {share}{disputed}; it never completed more than {best} tasks/s ({theory})."]


def _doubts(points: dict[str, dict[str, Any]]) -> list[str]:
    """Name the intervals that a repeat may move; where verdicts disagree, other sentences say so."""
    told = [(question, points[name]) for name, question in QUESTIONS.items()]
    loose = [question for question, point in told if point["shaky"] and not point["disputed"]]
    return [f"Where {question.words} is shaky: {question.doubt}." for question in loose]


def _chance(valid: pd.DataFrame) -> list[str]:
    """Name the rates that short trials met by chance instead of the planned one: verdicts are of those."""
    odd = valid[(valid["due_per_s"] / valid["offered_per_s"] - 1).abs() > _NOTICED_CHANCE]
    if odd.empty:
        return []
    pairs = zip(odd["due_per_s"], odd["offered_per_s"], strict=True)
    met = listed([f"{number(due)}/s for {number(offered)}/s" for due, offered in pairs][:3])
    return [f"Few arrivals, so chance played a part: {met} were due while it was measured."]


def _few(valid: pd.DataFrame) -> list[str]:
    """Name the streams of which a trial has too few samples for a p99."""
    fewest = {stream: int(valid[f"{stream.column}_n"].min()) for stream in Stream}
    few = [f"{number(n)} of {stream.words}" for stream, n in fewest.items() if 0 < n < ENOUGH_FOR_P99]
    if not few:
        return []
    return [f"A p99 of fewer than {ENOUGH_FOR_P99} samples is their maximum: a trial had only {listed(few)}."]


def _waiting(valid: pd.DataFrame) -> list[str]:
    lightest = valid.sort_values("offered_per_s").iloc[0]
    wait = float(lightest["queue_wait_p50_ms"])
    if lightest[QUESTIONS[SATURATION].column] or not wait > _NOTICED_WAIT_MS:
        return []
    rate = number(lightest["offered_per_s"])
    return [f"Even at {rate}/s half of the tasks waited {milliseconds(wait)} or more for a slot."]


def _spread(valid: pd.DataFrame) -> list[str]:
    """Tell how unevenly the tasks fell on several web processes: the busiest is full before the others."""
    processes, shares = int(valid["web_processes"].iloc[0]), valid["busiest_web_share"].dropna()
    if processes == 1 or shares.empty:
        return []
    low, high = f"{shares.min() * 100:.0f}", f"{shares.max() * 100:.0f}"
    share = low if low == high else f"{low} to {high}"
    return [f"The busiest of the {processes} web processes accepted {share} % of the tasks."]


def _losses(valid: pd.DataFrame) -> list[str]:
    sentences = []
    rejected = valid[valid["rejected"] > 0]
    if len(rejected):
        lowest = number(rejected["offered_per_s"].min())
        worst = (rejected["rejected"] / rejected["due"]).max()
        sentences.append(f"It turned tasks away from {lowest}/s on, up to {worst * 100:.0f} % of them.")
    unanswered = int(valid[["unknown", "refused", "shed"]].to_numpy().sum())
    if unanswered:
        sentences.append(
            f"{number(unanswered)} tasks were never answered; they count as at least as late as is known."
        )
    if valid["failed"].sum():
        sentences.append(f"{number(valid['failed'].sum())} tasks failed for good.")
    lost = int(valid.drop_duplicates(["trial_id", "attempt"])["unaccounted"].sum())
    if lost:
        sentences.append(f"{number(lost)} accepted tasks are unaccounted for.")
    return sentences


def _left_out(own: pd.DataFrame) -> list[str]:
    invalid = own[~own["valid"].astype(bool)].drop_duplicates(["trial_id", "attempt"])
    if invalid.empty:
        return []
    kinds = Counter(part.split(":")[0].strip() for text in invalid["reasons"] for part in text.split("; "))
    reasons = listed([kind if count == 1 else f"{kind} in {count}" for kind, count in kinds.most_common(4)])
    if len(invalid) == len(own.drop_duplicates(["trial_id", "attempt"])):
        return [f"Nothing can be said: every trial was invalid ({reasons})."]
    plural = "trials were" if len(invalid) > 1 else "trial was"
    return [f"{len(invalid)} {plural} invalid and left out ({reasons})."]
