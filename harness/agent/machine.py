"""Which machine a process is on, as far as other processes are concerned."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.target.cores import Pinning
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


def there(pinning: Pinning, its_machine: str) -> Pinning:
    """Return a campaign's pinning for the target's machine: the generator's cores are others there."""
    return pinning if its_machine == machine() else replace(pinning, generator=())
