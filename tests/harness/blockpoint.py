"""The command line as a user runs it, in a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from harness.processes import MARKER

COMMAND = [sys.executable, "-m", "harness"]
LIMIT_S = 500.0
"""for a whole command, however busy the machine: less than a test's own"""
QUIET = ["--max-foreign-cores", "1024", "--quiet-wait", "0", "--no-report"]


def environment(runs: Path, **more: str) -> dict[str, str]:
    """Return the variables under which campaigns go to a folder of the test's own."""
    return {**os.environ, "BLOCKPOINT_RUNS": str(runs), **more}


def blockpoint(*arguments: str, runs: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(runs, **more),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def started(*arguments: str, runs: Path, **more: str) -> "subprocess.Popen[str]":
    """Start the command."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(runs, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


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
