"""Ends this process with one clear line where a call of the task does not return."""

import os
import threading
import time
from collections.abc import Callable
from typing import Final

LOOK_S: Final = 0.05


class Watch:
    """A thread that looks whether what was begun last is over in time."""

    def __init__(self, limit_s: float, give_up: Callable[[str], None]) -> None:
        self._limit_s, self._give_up = limit_s, give_up
        self._until_s, self._what = float("inf"), ""
        threading.Thread(target=self._look, daemon=True).start()

    def begin(self, what: str, longer_s: float = 0.0) -> None:
        """Begin something that may take the limit, and so much longer."""
        self._what, self._until_s = what, time.monotonic() + self._limit_s + longer_s

    def end(self) -> None:
        """Say that nothing is under way."""
        self._until_s = float("inf")

    def _look(self) -> None:
        while time.monotonic() < self._until_s:
            time.sleep(LOOK_S)
        self._give_up(f"{self._what} did not return within {self._limit_s:g} s (--task-timeout)")
        os._exit(0)
