"""Waking the event loop at an absolute moment of the monotonic clock."""

import ctypes
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

import gevent

from loadtests.openloop.schedule import NS_PER_S


class Timer(Protocol):
    """Calls `due` on the event loop at, never before, the moment it was last armed for."""

    name: str

    def arm(self, at_ns: int) -> None:
        """Set the next moment, `time.monotonic_ns` nanoseconds; one in the past fires at once."""

    def close(self) -> None:
        """Never call again."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Timerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class TimerfdTimer:
    """Linux: a timer descriptor watched by the event loop, late by tens of microseconds.

    libc is called by ctypes because `os.timerfd_create` came with Python 3.13 only.
    """

    name = "timerfd"

    def __init__(self, due: Callable[[], None]) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set_time = libc.timerfd_settime
        self._fd: int = libc.timerfd_create(1, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._due = due
        self._spec = _Timerspec()
        self._at = self._spec.value
        self._spec_pointer = ctypes.byref(self._spec)
        self._watcher = gevent.get_hub().loop.io(self._fd, 1, priority=2)
        self._watcher.start(self._fired)

    def arm(self, at_ns: int) -> None:
        """Set the next moment."""
        self._at.seconds, self._at.nanoseconds = divmod(max(at_ns, 1), NS_PER_S)
        self._set_time(self._fd, 1, self._spec_pointer, None)

    def close(self) -> None:
        """Stop watching and close the descriptor."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._fd)

    def _fired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._due()


class SleepTimer:
    """Elsewhere: the event loop's own timer, late by up to a millisecond."""

    name = "sleep"

    def __init__(self, due: Callable[[], None]) -> None:
        self._due = due
        self._watcher = gevent.get_hub().loop.timer(0)

    def arm(self, at_ns: int) -> None:
        """Set the next moment."""
        self._watcher.stop()
        self._watcher.close()
        wait_s = max(at_ns - time.monotonic_ns(), 0) / NS_PER_S
        self._watcher = gevent.get_hub().loop.timer(wait_s)
        self._watcher.start(self._due, update=True)

    def close(self) -> None:
        """Stop watching."""
        self._watcher.stop()
        self._watcher.close()


def best_timer(due: Callable[[], None]) -> Timer:
    """Return the most precise timer that this platform has."""
    return TimerfdTimer(due) if sys.platform == "linux" else SleepTimer(due)
