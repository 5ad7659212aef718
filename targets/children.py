"""What a child of a process pool does before its first task."""

import multiprocessing
import os
import threading

from targets import work  # noqa: F401 -- imported before the first task, which would pay for it


def begin(gathering: threading.Barrier | None = None) -> None:
    """Arrange to end with the parent, and wait until all who are to gather have begun."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if gathering is not None:
        gathering.wait()


def _end_with_parent() -> None:
    """Wait for the parent's end: a child sees none by itself, since it holds its queue's other end too."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
