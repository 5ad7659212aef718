"""What the requests of a step say, as columns of a row of the summary: how late each stream was answered."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.stats import block_interval
from analysis.trials import slowness
from analysis.trials.percentile_columns import percentile_columns
from analysis.trials.step_rows import StepRows
from results.terms import BYSTANDERS, NEVER, Outcome, Stream

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_UNANSWERED: Final = (Outcome.UNKNOWN, Outcome.REFUSED, Outcome.SHED)


@dataclass(frozen=True)
class _Answers:
    """The requests of a stream, in the order in which they were due."""

    stream: Stream
    rows: pd.DataFrame
    latency_ms: Floats

    @property
    def accepted(self) -> Mask:
        """Which were; rejections are counted elsewhere: a quick one must not make accepting look quick."""
        found: Mask = (self.rows["outcome"].to_numpy() == Outcome.ACCEPTED) & ~np.isnan(self.latency_ms)
        return found

    @property
    def open_ended(self) -> Mask:
        """Which are known only to have waited for so long."""
        return np.isin(self.rows["outcome"].to_numpy(), _UNANSWERED)

    def known(self) -> "_Known":
        """Return those of which something is known."""
        rows, open_ended = self.rows, self.open_ended
        known = self.accepted | open_ended
        samples: Floats = np.where(open_ended, rows["bound_ms"].to_numpy(), self.latency_ms)[known]
        return _Known(self.stream, rows["due_ns"].to_numpy()[known] / 1e9, samples, _slip_ms(rows)[known])


@dataclass(frozen=True)
class _Known:
    """The requests of a stream of which something is known, in the order in which they were due."""

    stream: Stream
    due_s: Floats
    latency_ms: Floats
    """of those without an answer the time for which they are known to have waited"""
    slip_ms: Floats

    def spells(self, seconds: float, limit_ms: float) -> dict[str, Any]:
        """Return the columns of its slow spells."""
        seen = slowness.observe(self.due_s, self.latency_ms, seconds, limit_ms, self.slip_ms)
        return slowness.columns(self.stream, seen)


def request_columns(rows: StepRows, limit_ms: float, *, p99_intervals: bool) -> dict[str, Any]:
    """Return of each stream its percentiles, the p99's interval, its number of requests and slow spells."""
    columns: dict[str, Any] = {}
    for answers in _streams(rows):
        name, known = answers.stream.column, answers.known()
        bounds_ms = answers.rows["bound_ms"].to_numpy()[answers.open_ended]
        columns |= percentile_columns(name, answers.latency_ms[answers.accepted], bounds_ms)
        low, high = block_interval(known.latency_ms, 99) if p99_intervals else (np.nan, np.nan)
        columns |= {f"{name}_p99_low_ms": low, f"{name}_p99_high_ms": high, f"{name}_n": len(known.due_s)}
        columns |= known.spells(rows.seconds, limit_ms)
    return columns


def slow_spells(rows: StepRows, limits_ms: Iterable[float]) -> Iterator[dict[str, Any]]:
    """Yield for each limit the columns of slow spells that a step's row of the summary has under it."""
    streams = [answers.known() for answers in _streams(rows)]
    for limit_ms in limits_ms:
        columns: dict[str, Any] = {}
        for known in streams:
            columns |= known.spells(rows.seconds, limit_ms)
        yield columns


def _streams(rows: StepRows) -> Iterator[_Answers]:
    requests = rows.requests
    yield _Answers(Stream.TASKS, requests, requests["accept_ms"].to_numpy())
    for stream in BYSTANDERS:
        own = rows.bystanders[rows.bystanders["stream"].to_numpy() == stream]
        yield _Answers(stream, own, own["latency_ms"].to_numpy())


def _slip_ms(rows: pd.DataFrame) -> Floats:
    due_ns, sent_ns = rows["due_ns"].to_numpy(), rows["sent_ns"].to_numpy()
    return np.where(sent_ns == NEVER, 0, sent_ns - due_ns) / 1e6
