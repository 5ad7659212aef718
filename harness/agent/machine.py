"""Which machine a process is on, as far as other processes are concerned."""

import contextlib
from pathlib import Path
from typing import Final

from results.clock import KERNEL, boot_id

_PROCESSES: Final = Path("/proc/self/ns/pid")


def machine() -> str:
    """Return the same for two processes that see each other by their numbers.

    Their clocks may differ all the same, in time namespaces of Linux.
    """
    boot = KERNEL.read_text().strip() if KERNEL.exists() else boot_id()
    with contextlib.suppress(OSError):
        return f"{boot} {_PROCESSES.readlink()}"
    return boot
