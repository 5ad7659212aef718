"""How a command ends when a signal tells it to: through its cleanup, and with a line on how to go on."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar


def _nothing() -> str:
    return "nothing was left running"


KEPT: ContextVar[Callable[[], str]] = ContextVar("KEPT", default=_nothing)
"""says what is kept of what was done so far, and how to go on"""


class Ended(SystemExit):
    """A signal told the command to end; its exit code is 128 + the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.name = signal.Signals(number).name


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT, SIGTERM and SIGHUP leave through the cleanup: by KeyboardInterrupt, and by Ended.

    A shell has its background jobs ignore SIGINT, which nobody asked for; SIGHUP is ignored on purpose, by
    `nohup`, and stays so.
    """

    def leave(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise Ended(number)

    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: leave}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = leave
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def last_words(how: str) -> None:
    """Say in one line how the command ended and what KEPT says; a terminal that is gone hears nothing."""
    with contextlib.suppress(OSError):
        print(f"{how}: {KEPT.get()()}", file=sys.stderr, flush=True)
