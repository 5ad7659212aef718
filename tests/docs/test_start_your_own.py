"""docs/start-your-own.md followed to the letter: its files in an empty folder, its commands in their order.

The environment of the tests stands for the one that the page installs, which takes minutes and a network. The
search has fewer trials, and a limit that a busy machine does not cross by itself. All else is as written.
"""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.harness.blockpoint import LIMIT_S, QUIET, environment

from . import pages

PAGE = pages.text("start-your-own.md")
FILES = dict(re.findall(r'^```\w+ title="([\w.]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
INSTALLING, *COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
TOLERANT = "--slo-ms 1000 --seconds 4 --max-trials 4 --attempts 12 --budget 300"
TRUTH_PER_S = 150
"""15 connections, which a task holds for 100 ms"""
SIZED_PER_S = 240
"""200 a second and the usual headroom"""


def followed(command: str, folder: Path) -> str:
    """Run a command of the page as its reader would, and return what it prints."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=environment(folder / "results" / "runs", PATH=path),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.stdout


def test_what_it_installs_is_all_that_its_files_need() -> None:
    assert re.findall(r"^pip install (.*)$", INSTALLING, re.MULTILINE) == ["fastapi uvicorn ~/blockpoint"]
    assert FILES.keys() == {"main.py", "blockpoint.toml"}
    assert FILES["blockpoint.toml"].split('command = "')[1].startswith("uvicorn main:app ")


@pytest.mark.e2e
def test_from_an_empty_folder_to_the_culprit_and_a_plan(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    search, plan = COMMANDS
    found = json.loads(followed(" ".join([search, TOLERANT, *QUIET, "--json"]), tmp_path))
    held_per_s = says_where_and_why(found)
    told = followed(plan, tmp_path)
    assert re.search(rf"^shop/service +{math.ceil(SIZED_PER_S / held_per_s)} ", told, re.MULTILINE), told
    assert "culprit:         something that" in told
    assert "API blocks between" in told


def says_where_and_why(found: dict[str, Any]) -> float:
    """Check what the search found; returns the highest rate that held."""
    (point,) = found["points"]
    (blocking,) = point["questions"].values()
    assert blocking["held_per_s"] < TRUTH_PER_S * 1.3
    assert blocking["failed_per_s"] > TRUTH_PER_S * 0.8
    assert set(found["service"]["blocked"]) == {"POST /orders", "GET /orders"}
    assert found["service"]["fast_meanwhile"] == ["GET /health"]
    assert "such as a pool of connections" in found["service"]["culprit"]
    return float(blocking["held_per_s"])
