"""What a drill did to the API, and when it had recovered; only of trials that ran alone."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.drills.audit import Audited
from analysis.drills.matrix import about
from analysis.trials.latency import latency_ms
from results.percentile import percentile
from results.terms import NEVER, Fate, Outcome, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

WINDOW_S: Final = 0.25
"""a stretch without a bad answer must be that long, and every one after it good"""
WORSE: Final = 2.0
"""latencies and the backlog are back where they are at most this many times their worst before the fault"""
STREAMS: Final = (Stream.TASKS.column, "bystander")
ERRORS: Final = ("refused", "reset", "timeout", "closed", "5xx", "other")
CLOSED_EARLY: Final = "closed early"
"""what the client did on purpose is no error of the API"""
_FAR: Final = np.iinfo(np.int64).max


def api_row(audited: Audited, limit_ms: float) -> dict[str, Any]:
    """Return how a trial's API answered before, during and after its fault, and when it had recovered.

    For each of these phases and of the streams `accept` (tasks answered with 2xx) and `bystander` there are
    `PHASE_STREAM_n`, `_p50_ms`, `_p99_ms` and `_max_ms`, from the due time. `errors_tasks_CLASS` and
    `errors_bystanders_CLASS` count the errors of the whole trial. A request belongs to `before` if it was
    answered before the fault began, and to `after` if it was due once the target had recovered; a fault that
    lasts for the whole load only has `during`.

    `recovery_s` is the greatest of `api_s`, `backlog_s` and `hidden_s`, each from the beginning of the
    fault, NaN where it did not come within the trial (or where the fault lasts):
    - `api_s`: the end of the last window of `WINDOW_S` with a bad answer due in it, 0 without one. Bad is an
      error of any request, and a bystander slower than max(limit, `WORSE` x the worst before).
    - `backlog_s`: when the backlog (`backlog_steps`) was, after its peak, back at no more than `WORSE` x its
      peak before the fault: arrivals come unevenly, and less is no sign of anything.
    - `hidden_s`: when the last task had ended that the broker hid; one that it still held never did.
    """
    incident, tasks, bystanders = audited.incident, audited.requests, audited.bystanders
    row = about(audited.trial, audited.subject, 1)
    slow_ms = max(limit_ms, WORSE * _worst(bystanders, _before(bystanders, incident.from_ns)))
    backlog = backlog_steps(audited)
    times = dict.fromkeys(("api_s", "backlog_s", "hidden_s"), np.nan)
    if not audited.lasting:
        times["api_s"] = _api_s(audited, slow_ms)
        times["backlog_s"] = _backlog_s(*backlog, incident.from_ns)
        times["hidden_s"] = _hidden_s(audited)
    recovery_s = float(np.max(list(times.values())))
    row |= {"recovery_s": recovery_s, **times, "slow_ms": slow_ms, "fault_s": _fault_s(audited)}
    row |= {"backlog_before": _peak_before(*backlog, incident.from_ns), "backlog_peak": _peak(backlog[1])}
    until_ns = _FAR if np.isnan(recovery_s) else incident.from_ns + int(recovery_s * 1e9)
    for stream, requests in zip(STREAMS, (tasks, bystanders), strict=True):
        for phase, inside in _phases(audited, requests, until_ns).items():
            row |= _figures(f"{phase}_{stream}", answer_ms(requests)[inside & _answered(requests)])
    for name, requests in (("tasks", tasks), ("bystanders", bystanders)):
        kinds = error_classes(requests)
        row |= {f"errors_{name}_{kind}": int((kinds == kind).sum()) for kind in ERRORS}
    return row


def answer_ms(requests: pd.DataFrame) -> Floats:
    """Return after what time each request was answered, NaN where no answer came."""
    return latency_ms(requests["due_ns"].to_numpy(), requests["replied_ns"].to_numpy())


def error_classes(requests: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Return the class of each request's error, of `ERRORS`; empty where there is none.

    What the client broke on purpose is none. `closed`: the connection was closed before the whole answer had
    come. `other`: an answer neither 2xx nor 5xx, and a request that was still open when the client gave up.
    """
    outcome, status = requests["outcome"].to_numpy(), requests["status"].to_numpy()
    text = requests["error"].astype(str).to_numpy()
    found = np.full(len(requests), "", object)
    for kind, mask in (
        ("other", ~np.isin(outcome, (Outcome.ACCEPTED, Outcome.SHED))),
        ("5xx", (outcome == Outcome.REJECTED) & (status >= 500)),
        ("closed", np.char.startswith(text.astype(str), "closed ")),
        ("timeout", np.isin(text, ("timeout", "timed out"))),
        ("reset", (outcome == Outcome.UNKNOWN) & (text == "connection reset")),
        ("refused", outcome == Outcome.REFUSED),
        ("", text == CLOSED_EARLY),
    ):
        found[mask] = kind
    return found


def backlog_steps(audited: Audited) -> tuple[Ints, Ints]:
    """Return the moments at which the backlog changes, ascending, and its height from each of them on.

    It counts accepted tasks that the target knows and that have not ended. Those that were lost leave it
    when the fault begins, since nothing works on them any more.
    """
    verdicts, from_ns = audited.verdicts, audited.incident.from_ns
    lost = verdicts.fate == Fate.LOST
    kept = verdicts.accepted & ~(lost & (verdicts.known_ns > from_ns))
    return steps(kept, verdicts.known_ns, np.where(lost, from_ns, verdicts.ended_ns))


def steps(which: Mask, come_ns: Ints, gone_ns: Ints) -> tuple[Ints, Ints]:
    """Return when the number of these that have come and not gone changes, and the number from then on."""
    came = come_ns[which & (come_ns != NEVER)]
    went = gone_ns[which & (come_ns != NEVER) & (gone_ns != NEVER)]
    at = np.concatenate([came, went])
    change = np.concatenate([np.ones(len(came), np.int64), -np.ones(len(went), np.int64)])
    order = np.lexsort((-change, at))
    return at[order], np.cumsum(change[order])


def _api_s(audited: Audited, slow_ms: float) -> float:
    from_ns = audited.incident.from_ns
    bad = [from_ns - int(WINDOW_S * 1e9)]
    last_ns = from_ns
    for requests, judged_by_latency in ((audited.requests, False), (audited.bystanders, True)):
        due = requests["due_ns"].to_numpy()
        wrong = error_classes(requests) != ""
        if judged_by_latency:
            wrong |= answer_ms(requests) > slow_ms
            last_ns = max(last_ns, int(due.max(initial=from_ns)))
        bad += due[wrong & ~_before(requests, from_ns)].tolist()
    good_ns = max(bad) + int(WINDOW_S * 1e9)
    return max(good_ns - from_ns, 0) / 1e9 if good_ns <= last_ns else np.nan


def _backlog_s(at: Ints, height: Ints, from_ns: int) -> float:
    wanted = WORSE * _peak_before(at, height, from_ns)
    after = at > from_ns
    if not after.any() or height[after].max() <= wanted:
        return 0.0
    peak = int(np.flatnonzero(after)[height[after].argmax()])
    back = np.flatnonzero(height[peak:] <= wanted)
    return float(at[peak + back[0]] - from_ns) / 1e9 if len(back) else np.nan


def _hidden_s(audited: Audited) -> float:
    verdicts, from_ns = audited.verdicts, audited.incident.from_ns
    ended = verdicts.ended_ns[verdicts.hidden | (verdicts.fate == Fate.HELD)]
    late_s = float(ended.max() - from_ns) / 1e9 if len(ended) else 0.0
    return np.nan if (ended == NEVER).any() else max(late_s, 0.0)


def _peak_before(at: Ints, height: Ints, from_ns: int) -> int:
    return _peak(height[at <= from_ns])


def _peak(height: Ints) -> int:
    return int(height.max(initial=0))


def _phases(audited: Audited, requests: pd.DataFrame, until_ns: int) -> dict[str, Mask]:
    due = requests["due_ns"].to_numpy()
    if audited.lasting:
        nothing = np.zeros(len(due), bool)
        return {"before": nothing, "during": ~nothing, "after": nothing}
    before = _before(requests, audited.incident.from_ns)
    after = ~before & (due >= until_ns)
    return {"before": before, "during": ~before & ~after, "after": after}


def _before(requests: pd.DataFrame, from_ns: int) -> Mask:
    replied = requests["replied_ns"].to_numpy()
    found: Mask = (replied != NEVER) & (replied < from_ns)
    return found


def _answered(requests: pd.DataFrame) -> Mask:
    found: Mask = requests["outcome"].to_numpy() == Outcome.ACCEPTED
    return found


def _worst(requests: pd.DataFrame, inside: Mask) -> float:
    values = answer_ms(requests)[inside & _answered(requests)]
    return float(values.max()) if len(values) else 0.0


def _figures(name: str, values: Floats) -> dict[str, Any]:
    return {
        f"{name}_n": len(values),
        f"{name}_p50_ms": percentile(values, 50),
        f"{name}_p99_ms": percentile(values, 99),
        f"{name}_max_ms": percentile(values, 100),
    }


def _fault_s(audited: Audited) -> float:
    return np.nan if audited.lasting else (audited.incident.to_ns - audited.incident.from_ns) / 1e9


def api_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each drill and subject, of the trials that count.

    Latencies are the median of the trials' percentiles, `*_max_ms` and `backlog_peak` the greatest of all
    trials, errors are summed. Of `recovery_s` there are the median and the greatest of the trials that
    recovered, and `never`, the number of those that did not within the trial (NaN where the fault lasts).
    """
    if rows.empty or not (valid := rows[rows["valid"].astype(bool)]).size:
        return pd.DataFrame()
    named = [str(name) for name in rows]
    how: dict[str, Any] = {name: "median" for name in named if name.endswith(("_p50_ms", "_p99_ms"))}
    how |= {name: "max" for name in named if name.endswith("_max_ms")}
    how |= {name: "sum" for name in named if name.startswith("errors_") or name.endswith("_n")}
    how |= {"backlog_peak": "max", "backlog_before": "max", "trial_id": "count", "fault_s": "median"}
    grouped = valid.groupby(["drill", "subject", "strategy", "variant"], sort=False)
    found = grouped.agg(how)
    found["recovery_median_s"] = grouped["recovery_s"].median()
    found["recovery_max_s"] = grouped["recovery_s"].max()
    lasting = found["fault_s"].isna()
    found["never"] = (found["trial_id"] - grouped["recovery_s"].count()).astype(float).mask(lasting)
    return found.rename(columns={"trial_id": "repeats"}).reset_index()
