"""A drill second by second, as charts need it: what was answered, what failed, and what waited."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

from analysis.drills.audit import Audited
from analysis.drills.recovery import answer_ms, error_classes, steps
from results.terms import BYSTANDERS, Fate, Outcome, Stream

LOOKS: Final = 240


def drill_timeline(audited: Audited) -> pd.DataFrame:
    """Return the points of a trial's chart.

    Columns: `drill`, `subject`, `strategy`, `variant`, `trial_id`, `series`, `at_s`, `value`, `fault_s`,
    `lasting` and `repaired`, which is False where the fault was left alone until all was at rest.

    `at_s` counts from the beginning of the fault. `accept`, `/ping` and `/ping-sync` have a point a request
    that was answered with 2xx, at its due time, with its latency in ms; `error` one a request that failed
    (value NaN); `backlog` and `lost` the number of tasks at `LOOKS` evenly spaced moments: accepted and
    not ended, without those that were lost, which are counted apart.
    """
    incident = audited.incident
    pieces = [
        _latencies(Stream.TASKS, audited.requests),
        *(
            _latencies(stream, audited.bystanders[audited.bystanders["stream"] == stream])
            for stream in BYSTANDERS
        ),
        *(_errors(requests) for requests in (audited.requests, audited.bystanders)),
        *_heights(audited),
    ]
    points = pd.concat(pieces, ignore_index=True)
    about: dict[str, Any] = {
        "drill": audited.trial.plan.drill,
        "subject": audited.trial.plan.subject,
        "strategy": audited.subject.strategy,
        "variant": audited.subject.variant,
        "trial_id": audited.trial.plan.trial_id,
    }
    ends = {
        "fault_s": (incident.to_ns - incident.from_ns) / 1e9,
        "lasting": audited.lasting,
        "repaired": incident.to_ns != incident.at_rest_ns,
    }
    at_s = (points.pop("at_ns") - incident.from_ns) / 1e9
    return points.assign(at_s=at_s, **about, **ends)


def _latencies(stream: Stream, requests: pd.DataFrame) -> pd.DataFrame:
    answered = requests[requests["outcome"] == Outcome.ACCEPTED]
    return _piece(stream.latency, answered["due_ns"].to_numpy(), answer_ms(answered))


def _errors(requests: pd.DataFrame) -> pd.DataFrame:
    failed = requests.loc[error_classes(requests) != "", "due_ns"].to_numpy()
    return _piece("error", failed, np.full(len(failed), np.nan))


def _heights(audited: Audited) -> Iterator[pd.DataFrame]:
    verdicts, looks = audited.verdicts, _looks(audited)
    lost = verdicts.fate == Fate.LOST
    for name, which in (("backlog", verdicts.accepted & ~lost), ("lost", verdicts.accepted & lost)):
        at, height = steps(which, verdicts.known_ns, verdicts.ended_ns)
        heights = np.concatenate([[0], height])[np.searchsorted(at, looks, side="right")]
        yield _piece(name, looks, heights.astype(float))


def _looks(audited: Audited) -> np.ndarray:
    """Return evenly spaced moments, from the first request to the last event."""
    incident, requests = audited.incident, audited.requests
    first_ns = int(requests["due_ns"].min()) if len(requests) else incident.from_ns
    over = [first_ns, incident.to_ns, int(audited.verdicts.last_end_ns.max(initial=0))]
    over += [int(rows["due_ns"].max()) for rows in (requests, audited.bystanders) if len(rows)]
    return np.linspace(first_ns, max(over), LOOKS).astype(np.int64)


def _piece(name: str, at_ns: np.ndarray, values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"series": name, "at_ns": at_ns, "value": values})
