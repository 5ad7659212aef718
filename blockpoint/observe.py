"""Lets a service say when each of its tasks was received, accepted, started and finished.

Needs nothing but the standard library, and does nothing unless `BLOCKPOINT_LEDGER` names a folder: then each
process appends 24 bytes a moment to a file of its own there. A request brings its task's id as 16 hexadecimal
digits in the header `x-blockpoint-id`:

    app.add_middleware(observe.Requests)
    background.add_task(observe.observed(send_mail), address)

What leaves the request's context takes the id along: `carried` binds it to a callable for a pool, `label`
puts it among the arguments of a message, and `blockpoint.queues` into the headers of some queues.
"""

import errno
import functools
import inspect
import itertools
import mmap
import os
import struct
import sys
import threading
import time
from binascii import unhexlify
from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

VARIABLE: Final = "BLOCKPOINT_LEDGER"
HEADER: Final = "x-blockpoint-id"
LABEL: Final = "blockpoint_id"
"""the keyword, header or option in which a message carries its task's id"""
RECEIVED, ACCEPTED, STARTED, FINISHED, FAILED, INTERRUPTED = range(1, 7)
LAYOUT: Final = struct.Struct("<QqIHBx")
"""task's id, time.monotonic_ns, process, attempt, moment"""
PREFIX: Final = "ledger"
LEAST_BYTES, CHUNK_BYTES = 2**12, 2**20
"""by which a file grows: as much as it holds, within these bounds"""
REDIRECTED: Final = (307, 308)
"""statuses that ask for the same request elsewhere, where it is accepted or not"""

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Send], Awaitable[None]]

_now_ns = time.monotonic_ns
_folder = os.environ.get(VARIABLE)
RECORDING: Final = bool(_folder)
_current: ContextVar[int | None] = ContextVar("blockpoint_id", default=None)
"""the task's id; its complement, which is negative, where a run of it is being recorded"""


class RecordFile:
    """A file of fixed-size records that a killed process leaves whole, without a `write` for each.

    The file grows by chunks of zeros and is mapped, so that a record is a store into the page cache: it
    survives the process. Readers skip what is still zero. The file is opened at the first record, hence
    after a fork, and once per process; no two processes share one, be their numbers equal.
    """

    def __init__(self, folder: Path | None, prefix: str, layout: struct.Struct) -> None:
        self._folder = folder
        self._prefix = prefix
        self._pack_into = layout.pack_into
        self._size = layout.size
        self._reset()
        if folder is not None:
            os.register_at_fork(after_in_child=self._reset)

    def append(self, *values: int) -> None:
        """Append one record; a full disk is reported once and ends the recording."""
        offset = next(self._offsets)
        if offset + self._size > self._end and not self._grow(offset):
            return
        self._pack_into(self._mapped, offset, *values)

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._growing = threading.Lock()
        self._descriptor = -1
        self._end = 0
        self._offsets = itertools.count(0, self._size)
        self._mapped: mmap.mmap

    def _grow(self, offset: int) -> bool:
        """Make room for the record at `offset`; returns whether there is any."""
        with self._growing:
            if self._folder is None:
                return False
            try:
                while offset + self._size > self._end:
                    self._add_chunk(self._folder)
            except OSError as error:
                self._folder = None
                print(f"blockpoint: {self._prefix} stopped: {error.strerror}", file=sys.stderr, flush=True)
                return False
            return True

    def _add_chunk(self, folder: Path) -> None:
        if self._descriptor < 0:
            self._descriptor = self._opened(folder)
        size = min(max(self._end, LEAST_BYTES), CHUNK_BYTES)
        # real zeros rather than a hole: a full disk must be an error here, not a signal at the first store
        written = os.pwrite(self._descriptor, bytes(size), self._end)
        if written < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._mapped = mmap.mmap(self._descriptor, self._end + size)
        self._end += size

    def _opened(self, folder: Path) -> int:
        """Make a file of a new name: containers that share a folder count their processes from 1 each."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self._prefix}-{self._pid}-{os.urandom(4).hex()}.bin"
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


class Moments(RecordFile):
    """The moments of tasks, as this process sees them; nothing where there is no folder."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder, PREFIX, LAYOUT)

    def record(self, task_id: int, moment: int, attempt: int = 0) -> None:
        """Append that `moment` of a task happened now; runs count from 1, what comes before them is 0."""
        offset = next(self._offsets)
        if offset + self._size > self._end and not self._grow(offset):
            return
        self._pack_into(self._mapped, offset, task_id, _now_ns(), self._pid, attempt, moment)


record: Final = Moments(Path(_folder) if _folder else None).record


def enter(task_id: int | None, *, running: bool = False) -> None:
    """Let what follows in this context belong to a task, or to none; `running`: a run of it is recorded."""
    _current.set(~task_id if running and task_id is not None else task_id)


def current() -> int | None:
    """Return the id of the task that this request submits or that is run here; None outside of any."""
    task_id = _current.get()
    return ~task_id if task_id is not None and task_id < 0 else task_id


class Requests:
    """ASGI middleware that notes when a request with a task's id is received, and when it is accepted.

    A task is accepted once a status below 400 has left that does not send the request elsewhere.
    """

    def __new__(cls, app: App, **_: str) -> Any:
        """Return the app itself where nothing is recorded: there is no layer then."""
        return super().__new__(cls) if RECORDING else app

    def __init__(self, app: App, header: str = HEADER) -> None:
        self._app = app
        self._header = header.lower().encode("latin-1")

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        """Serve a request."""
        task_id = self._id_of(scope)
        _current.set(task_id)
        if task_id is None:
            await self._app(scope, receive, send)
            return
        record(task_id, RECEIVED)

        async def sending(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and _accepts(message["status"]):
                record(task_id, ACCEPTED)

        await self._app(scope, receive, sending)

    def _id_of(self, scope: Scope) -> int | None:
        if scope["type"] == "http":
            wanted = self._header
            for name, value in scope["headers"]:
                if name == wanted:
                    return _spelt(value)
        return None


def _accepts(status: int) -> bool:
    return status < 400 and status not in REDIRECTED


def parsed(text: object) -> int | None:
    """Return the id that a header or a label spells; None where it spells none."""
    return _spelt(text) if isinstance(text, str) else None


def _spelt(digits: str | bytes) -> int | None:
    try:
        return int.from_bytes(unhexlify(digits), "big") if len(digits) == 16 else None
    except ValueError:
        return None


class Running:
    """A block in which a task's work runs: records when it starts and how it ends.

    Nothing without an id, nor within a run of the same task: that is the one that counts.
    """

    __slots__ = ("_attempt", "_entered", "_task_id")

    def __init__(self, task_id: int | None, attempt: int = 1) -> None:
        self._task_id = None if task_id is None or _current.get() == ~task_id else task_id
        self._attempt = attempt

    def __enter__(self) -> None:
        """Record that it starts."""
        task_id = self._task_id
        if task_id is not None:
            record(task_id, STARTED, self._attempt)
            self._entered = _current.set(~task_id)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Record how it ends."""
        task_id = self._task_id
        if task_id is not None:
            _current.reset(self._entered)
            record(task_id, FINISHED if kind is None else _broken_off(kind), self._attempt)


def _broken_off(kind: type[BaseException]) -> int:
    return FAILED if issubclass(kind, Exception) else INTERRUPTED


def observed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the callable, recorded whenever it runs for a task; nothing else about it changes.

    The task is that of the message's label (see `label`), or else that of the context: of the request in
    background tasks, in `asyncio.create_task`, in `asyncio.to_thread` and in AnyIO's threads.
    """
    if not RECORDING:
        return function
    if is_async(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with Running(taken(kwargs) if kwargs else current()):
                return await function(*args, **kwargs)

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with Running(taken(kwargs)):
            return function(*args, **kwargs)

    return called


def is_async(function: Callable[..., Any]) -> bool:
    """Say whether a call is to be awaited, be it of a function, a `partial` or an object."""
    while isinstance(function, functools.partial):
        function = function.func
    call: Any = type(function).__call__
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def taken(kwargs: dict[str, Any]) -> int | None:
    """Take the label away from the arguments of a call; returns its task's id, or else the context's."""
    labelled = parsed(kwargs.pop(LABEL)) if LABEL in kwargs else None
    return current() if labelled is None else labelled


def label() -> dict[str, str]:
    """Return the keyword argument by which a message carries the task's id to an `observed` function."""
    task_id = current()
    return {} if task_id is None or not RECORDING else {LABEL: f"{task_id:016x}"}


def carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the callable with this context's task bound to it, for pools that take no context along."""
    task_id = current()
    if task_id is None or not RECORDING:
        return function
    return functools.partial(_awaited if is_async(function) else _called, function, task_id)


def _called(function: Callable[..., Any], task_id: int, *args: Any, **kwargs: Any) -> Any:
    with Running(task_id):
        return function(*args, **kwargs)


async def _awaited(function: Callable[..., Any], task_id: int, *args: Any, **kwargs: Any) -> Any:
    with Running(task_id):
        return await function(*args, **kwargs)
