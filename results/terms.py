"""The words in which records are written: moments, outcomes, streams, scenarios, looks and fates."""

import enum
from dataclasses import dataclass
from typing import Final, Literal

NEVER: Final = -1
LONGEST_MS: Final = 86_400_000
"""a day: no duration, limit or latency that is asked for is longer"""
ENOUGH_FOR_P99: Final = 100
"""Samples below which a p99 is their maximum, and no more is known of it."""
FANOUT_PARTS: Final = 3
"""Tasks that one registration starts; their ids are the request's id + 1 ... + FANOUT_PARTS."""
REGISTRATION: Final = ("smtp", "http", "cache")
"""What they really are: the welcome mail, the notice to the admin, the update of the statistics."""


@dataclass(frozen=True)
class Kind:
    """A kind of work: what it stands for, and what theory has to know of it."""

    name: str
    summary: str
    bound: Literal["", "gil", "cores"] = ""
    """what lets only some of them run at once, however many slots there are; empty: they only wait. Round
    trips to a cache overlap in threads, so that `gil` is on the safe side for them"""
    awaited: bool = True
    """a coroutine awaits it; the others hold the event loop"""
    needs: str = ""
    """the setting of a target without which it cannot be done, mostly a server"""
    computes: bool = False
    """it belongs where a strategy computes, in a process rather than a thread"""
    own: bool = False
    """a callable of the user's; what bounds it is measured, and stands in the `demand` of its service"""

    @property
    def held(self) -> bool:
        """Whether it lasts as long as it was asked to, however many run beside it."""
        return not self.bound


KINDS: Final = {
    kind.name: kind
    for kind in (
        Kind("sleep", "waits: blocking in threads and processes, awaiting in coroutines"),
        Kind(
            "http",
            "calls a local server that answers late (http.client, in coroutines aiohttp)",
            needs="http_sink",
        ),
        Kind(
            "smtp",
            "mails to a local server that accepts late (smtplib, in coroutines aiosmtplib)",
            needs="smtp_sink",
        ),
        Kind(
            "cache",
            "writes 1 KiB after 1 KiB to the broker's server, a round trip each (redis-py, in coroutines its "
            "asyncio client)",
            bound="gil",
            needs="cache_url",
        ),
        Kind("cpu", "computes in pure Python and holds the GIL", bound="gil", awaited=False, computes=True),
        Kind(
            "cpu_native",
            "computes in C (SHA-256 of 64 KiB buffers) and releases the GIL",
            bound="cores",
            awaited=False,
            computes=True,
        ),
        Kind("own_wait", "your own `def` (--task), which waits", awaited=False, needs="own_task", own=True),
        Kind(
            "own_compute",
            "your own `def` (--task), which computes",
            bound="gil",
            awaited=False,
            needs="own_task",
            computes=True,
            own=True,
        ),
        Kind("own_await", "your own `async def` (--task)", needs="own_task", own=True),
    )
}
"""The kinds of task; `targets.work` gives each its body."""
REQUEST: Final = Kind("request", "whatever a service of somebody's own does when it is asked", bound="cores")
"""no strategy runs it, and theory knows nothing of it"""
KINDS_RECORDED: Final = {**KINDS, REQUEST.name: REQUEST}
"""what stands in documents"""


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
    """Which series of requests a row belongs to: the table of streams, which everything else reads."""

    label: str
    """the stream's name as charts and tables print it; of a bystander, its endpoint"""
    column: str
    """how the names of columns begin that tell of its latency"""
    latency: str
    """its latency's name, as legends print it"""
    words: str
    """what its requests do, within a sentence"""

    def __new__(cls, value: int, *names: str) -> "Stream":
        """Make a member: its number is what a row holds; the names are those above."""
        made = int.__new__(cls, value)
        made._value_ = value
        made.label, made.column, made.latency, made.words = names
        return made

    TASKS = 0, "tasks", "accept", "accept", "accepting a task"
    PING = 1, "/ping", "ping", "/ping", "/ping"
    PING_SYNC = 2, "/ping-sync", "ping_sync", "/ping-sync", "/ping-sync"
    PING_DB = 3, "/ping-db", "ping_db", "/ping-db", "/ping-db"
    FIRST = 4, "bystander 1", "bystander_1", "bystander 1", "bystander 1"
    SECOND = 5, "bystander 2", "bystander_2", "bystander 2", "bystander 2"
    THIRD = 6, "bystander 3", "bystander_3", "bystander 3", "bystander 3"


BYSTANDERS: Final = tuple(stream for stream in Stream if stream is not Stream.TASKS)
OFFERED_BY_ALL: Final = (Stream.PING, Stream.PING_SYNC)
"""the bystanders that every target offers"""
OF_A_SERVICE: Final = (Stream.FIRST, Stream.SECOND, Stream.THIRD)
"""those that somebody names for a service of their own, in that order"""


@dataclass(frozen=True)
class Pattern:
    """How the load of a scenario is read; the defaults are those of a scenario that nobody has described."""

    name: str
    rank: int | None = 1
    """of its steps on an axis of rates, where a subject shows only its lowest rank; None: not there"""
    durations: bool = False
    """its steps may stand on an axis of durations"""
    timeline: bool = False
    """its trials are told second by second"""
    parts: int = 1
    """tasks that one request starts"""
    stepped: bool = True
    """a trial has more than one step, which are told apart by their number"""


STEADY: Final = "steady"
STAIRS: Final = "stairs"
SOAK: Final = "soak"
SEARCHING: Final = (STEADY, STAIRS)
"""the scenarios whose trials answer a point"""
PATTERNS: Final = {
    pattern.name: pattern
    for pattern in (
        Pattern(STEADY, rank=0, durations=True, stepped=False),
        Pattern(STAIRS, rank=0),
        Pattern("ramp"),
        Pattern("burst", rank=None, timeline=True),
        Pattern("duration_sweep", rank=None, durations=True),
        Pattern("fanout", rank=None, parts=FANOUT_PARTS, stepped=False),
        Pattern(SOAK, rank=None, stepped=False),
        Pattern("closed_loop", rank=None, stepped=False),
    )
}
"""by scenario; one that is missing here is read by the defaults"""


def pattern_of(scenario: str) -> Pattern:
    """Return how the load of a scenario is read, known or not."""
    return PATTERNS.get(scenario) or Pattern(scenario)


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
