"""Which clock the moments of a run were read from."""

import platform
import subprocess
from pathlib import Path

KERNEL = Path("/proc/sys/kernel/random/boot_id")
OFFSETS = Path("/proc/self/timens_offsets")


def boot_id() -> str:
    """Identify this host's boot: monotonic clocks are comparable only where it is equal.

    In a time namespace of Linux the clock is another one on the same host, so its offset is a part.
    """
    if KERNEL.exists():
        return KERNEL.read_text().strip() + _offset()
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False)
        return f"{platform.node()} {asked.stdout.strip()}"
    return platform.node()


def _offset() -> str:
    """Return by how much this process's monotonic clock differs from its host's; empty where it does not."""
    lines = OFFSETS.read_text().splitlines() if OFFSETS.exists() else []
    for clock, seconds, nanoseconds in (line.split() for line in lines):
        if clock == "monotonic" and (int(seconds), int(nanoseconds)) != (0, 0):
            return f" {int(seconds):+d} s {int(nanoseconds)} ns"
    return ""
