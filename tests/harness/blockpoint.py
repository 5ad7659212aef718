"""The command line as a user runs it, in a process of its own."""

import os
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable
from pathlib import Path

import psutil

from harness.target.kin import MARKER

LIMIT_S = 500.0
"""for a whole command, however busy the machine: less than a test's own"""
QUIET = ["--max-foreign-cores", "1024", "--quiet-wait", "0", "--no-report"]
_started: "list[subprocess.Popen[str]]" = []


def environment(runs: Path, **more: str) -> dict[str, str]:
    """Return the variables under which campaigns go to the test's own folder, over the embedded broker."""
    return {**os.environ, "BLOCKPOINT_RUNS": str(runs), "BLOCKPOINT_REDIS_URL": "", **more}


def python_with(folder: Path, *packages: Path) -> str:
    """Make an interpreter that finds these folders' modules too, in whatever environment, as if installed."""
    venv.create(folder, symlinks=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    first = f"import sys; sys.path[:0] = {[str(package) for package in packages]}"
    rest = f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})"
    (site_packages / "installed.pth").write_text(f"{first}\n{rest}\n")
    return str(folder / "bin" / "python")


def python_with_strategy(folder: Path, name: str, definition: str, **modules: str) -> str:
    """Make an interpreter in which a package of that strategy is installed, with modules of these texts.

    `definition`: where it stands, as `module:attribute`.
    """
    package = folder / "package"
    info = package / f"{name}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[blockpoint.strategies]\n{name} = {definition}\n")
    for module, text in modules.items():
        (package / f"{module}.py").write_text(text)
    return python_with(folder / "venv", package)


def blockpoint(
    *arguments: str, runs: Path, python: str = sys.executable, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [python, "-m", "harness", *arguments],
        env=environment(runs, **more),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def started(*arguments: str, runs: Path, **more: str) -> "subprocess.Popen[str]":
    """Start the command, which is ended with its test at the latest."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *arguments],
        env=environment(runs, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    _started.append(process)
    return process


def end_started() -> None:
    """End the commands that a failed test has left running."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=LIMIT_S)
        if process.stdout:
            process.stdout.close()


def families(runs: Path) -> set[str]:
    """Return the markers of all families of living processes whose campaigns go to that folder."""
    found = set()
    for process in psutil.process_iter():
        try:
            own = process.environ()
            if own.get("BLOCKPOINT_RUNS") == str(runs) and process.status() != psutil.STATUS_ZOMBIE:
                found.add(own.get(MARKER, ""))
        except (psutil.Error, OSError):
            continue
    return found - {""}


def eventually(condition: Callable[[], bool], within_s: float = 60.0) -> bool:
    """Wait for a condition; returns whether it came."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
