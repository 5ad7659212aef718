"""A family's end: nobody of it answers another's."""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.target.kin import MARKER, Kin
from harness.target.lineage import lives

SUPERVISOR = """
import pathlib, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
child.wait()
pathlib.Path(sys.argv[1]).write_text("began anew")
"""


class Slowly(Kin):
    """Kills children before their parents, and takes its time between two."""

    def living(self) -> list[psutil.Process]:
        return sorted(super().living(), key=lambda process: -process.pid)


def test_a_supervisor_does_not_answer_the_death_of_its_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker, answer = secrets.token_hex(16), tmp_path / "answer"
    kill = psutil.Process.kill

    def killed_slowly(process: psutil.Process) -> None:
        kill(process)
        time.sleep(0.5)

    monkeypatch.setattr(psutil.Process, "kill", killed_slowly)
    command = [sys.executable, "-c", SUPERVISOR, str(answer)]
    with subprocess.Popen(
        command, env=os.environ | {MARKER: marker}, stdout=subprocess.PIPE, text=True
    ) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        Slowly(marker).kill()
        assert not lives(child)
    assert not answer.exists()
