"""Standard output and error that never stop the work: what cannot be shown is replaced or dropped."""

import contextlib
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import click

BROKEN_PIPE = 141
"""what a shell makes of SIGPIPE"""
UNWRITABLE = 2


class Outlet(io.RawIOBase):
    """A stream's descriptor; once that fails, all that is written to it is dropped."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: OSError | None = None
        """why nothing is written any more"""

    def writable(self) -> bool:
        """Say so."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Say whether a person looks at it."""
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        """Write what there is room for; waits where there is none."""
        while self.error is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return len(data)


@contextlib.contextmanager
def outlets() -> Iterator[None]:
    """Let standard output and error fail without a word to whoever writes to them.

    What would end with success ends with SystemExit where standard output has failed: 141 where its reader
    had gone, else 2 after one line on standard error.
    """
    _keep_standard_descriptors()
    before = sys.stdout, sys.stderr
    out, err = (_outlet(stream) for stream in before)
    sys.stdout, sys.stderr = _text(sys.stdout, out, "replace"), _text(sys.stderr, err, "backslashreplace")
    code: Any = 0
    try:
        yield
    except SystemExit as ended:
        code = ended.code
    finally:
        _flush()
        failed = out and out.error
        if failed and not isinstance(failed, BrokenPipeError):
            _complain(failed)
        sys.stdout, sys.stderr = before
    if failed and not code:
        code = BROKEN_PIPE if isinstance(failed, BrokenPipeError) else UNWRITABLE
    sys.exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def _complain(error: OSError) -> None:
    why = error.strerror
    click.echo(f"error: standard output cannot be written ({why}); what was measured is kept", err=True)
    _flush()


def _keep_standard_descriptors() -> None:
    """Let no file of ours get the number of a standard stream that the caller has closed."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def _outlet(stream: TextIO | None) -> Outlet | None:
    """Return an outlet in a real stream's place; None for one that is closed, or somebody else's work."""
    if type(stream) is not io.TextIOWrapper:
        return None
    stream.flush()
    return Outlet(stream.fileno())


def _text(stream: TextIO, outlet: Outlet | None, errors: str) -> TextIO:
    if outlet is None:
        return stream
    buffer = io.BufferedWriter(outlet)
    return io.TextIOWrapper(buffer, encoding=stream.encoding, errors=errors, line_buffering=True)
