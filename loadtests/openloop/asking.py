"""Questions from the master to its workers over Locust's bus, each with its answer.

An answer may be lost with its worker or come twice: a question is asked again, and may be, since none of them
changes anything.
"""

import itertools
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import AsyncResult

from results.errors import BlockpointError

QUESTION, ANSWER = "blockpoint-question", "blockpoint-answer"
PATIENCE_S = 5.0
TRIES = 3


class Asker:
    """The master's side."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner
        self._numbers = itertools.count(1)
        self._waiting: dict[int, AsyncResult] = {}
        runner.register_message(ANSWER, self._receive)

    def ask(self, worker: str, about: str, *given: Any, patience_s: float = PATIENCE_S) -> tuple[Any, int]:
        """Return the worker's answer and when it came; raises BlockpointError where there is none."""
        for _ in range(TRIES):
            number, answer = next(self._numbers), AsyncResult()
            self._waiting[number] = answer
            try:
                self._runner.send_message(QUESTION, [number, about, list(given)], worker)
                found: tuple[Any, int] = answer.get(timeout=patience_s / TRIES)
                return found
            except gevent.Timeout:
                continue
            finally:
                del self._waiting[number]
        raise BlockpointError(f"worker {worker} does not answer")

    def _receive(self, *, msg: Any, **_: Any) -> None:
        now_ns = time.monotonic_ns()
        number, told = msg.data
        if number in self._waiting:
            self._waiting[number].set((told, now_ns))


class Answerer:
    """A worker's side: `answers` has a function for each thing that is asked about."""

    def __init__(self, runner: Any, answers: Mapping[str, Callable[..., Any]]) -> None:
        self._runner = runner
        self._answers = answers
        runner.register_message(QUESTION, self._receive)

    def _receive(self, *, msg: Any, **_: Any) -> None:
        number, about, given = msg.data
        self._runner.send_message(ANSWER, [number, self._answers[about](*given)])
