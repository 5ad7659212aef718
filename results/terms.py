"""The words in which records are written: moments, outcomes, streams, looks and fates."""

import enum
from typing import Final

NEVER: Final = -1
LONGEST_MS: Final = 86_400_000
"""a day: no duration, limit or latency that is asked for is longer"""
KINDS: Final = ("sleep", "cpu", "cpu_native")
"""The kinds of task; `targets.work` gives each its body."""
ENOUGH_FOR_P99: Final = 100
"""Samples below which a p99 is their maximum, and no more is known of it."""
FANOUT_PARTS: Final = 3
"""Tasks that one registration starts; their ids are the request's id + 1 ... + FANOUT_PARTS."""


class Moment(enum.IntEnum):
    """A point in the life of a task, as the target's ledger records it."""

    RECEIVED = 1
    ACCEPTED = 2
    STARTED = 3
    FINISHED = 4
    FAILED = 5
    INTERRUPTED = 6
    """a run was cancelled from outside: by a time-out, or by a worker that is told to stop"""


class Outcome(enum.IntEnum):
    """What became of a scheduled arrival, as far as its client can tell."""

    ACCEPTED = 0
    """answered with a 2xx status"""
    REJECTED = 1
    """answered with any other status"""
    REFUSED = 2
    """never received: no connection could be made"""
    UNKNOWN = 3
    """sent, but not answered: a time-out, a reset, or still in flight when the drain's limit came"""
    SHED = 4
    """never sent: the cap on requests in flight was reached"""


GIVEN_UP: Final = frozenset({"timeout", "drain limit", "interrupted"})
"""what stands in the column `error` of requests that were still waited for when the client gave up"""


class Stream(enum.IntEnum):
    """Which series of requests a row belongs to."""

    TASKS = 0
    PING = 1
    PING_SYNC = 2

    @property
    def label(self) -> str:
        """The stream's name as charts and tables print it."""
        return {Stream.TASKS: "tasks", Stream.PING: "/ping", Stream.PING_SYNC: "/ping-sync"}[self]


class Look(enum.IntEnum):
    """When a drill asked the broker what it holds."""

    AT_REST = 0
    """what had been broken was put right, and nothing moved any more"""
    AT_HORIZON = 1
    """after the window in which a broker may hide a task had passed, or as soon as nothing was left"""


class Fate(enum.IntEnum):
    """What became of a task of a drill: exactly one of these."""

    COMPLETED = 0
    """accepted; ran, and completed once"""
    HIDDEN = 1
    """accepted; nothing ran it until its broker's window had passed or a process was restarted by hand,
    then it completed"""
    STARTED_TWICE = 2
    """accepted; started again though its run had not failed, completed once"""
    COMPLETED_TWICE = 3
    """accepted; completed more than once"""
    FAILED = 4
    """accepted; its last attempt ended by an exception"""
    LOST = 5
    """accepted; neither ended nor held by the broker at the horizon"""
    HELD = 6
    """accepted; not ended, and still held by the broker at the horizon"""
    REJECTED = 7
    """answered with an error or never received, and never ran"""
    UNKNOWN = 8
    """unanswered, and never ran"""
    RAN_UNACCEPTED = 9
    """not accepted as far as its client knows, and ran all the same"""
    SHED = 10
    """never sent"""
    CUT_OFF = 11
    """accepted; still running, or waiting in the web process's memory, at the horizon"""
    UNACCOUNTED = 12
    """its records contradict each other, or it was lost though no fault explains it"""

    @property
    def label(self) -> str:
        """The fate's name as documents and tables write it."""
        return self.name.lower()
