"""Which clock the moments of a run were read from."""

import platform
import subprocess
from pathlib import Path


def boot_id() -> str:
    """Identify this host's boot: monotonic clocks are comparable only where it is equal."""
    kernel = Path("/proc/sys/kernel/random/boot_id")
    if kernel.exists():
        return kernel.read_text().strip()
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=False)
        return f"{platform.node()} {asked.stdout.strip()}"
    return platform.node()
