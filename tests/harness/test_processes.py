import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.pinning import Pinning
from harness.processes import Family, interruptible, marked

from .blockpoint import LIMIT_S, eventually

GRANDPARENT = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
time.sleep(600)
"""
HARNESS = f"""
import sys, time
from pathlib import Path
from harness.pinning import Pinning
from harness.processes import family
with family() as members:
    command = [sys.executable, "-c", {GRANDPARENT!r}]
    members.spawn("web", command, members.folder / "log", {{}}, Pinning())
    print(members.marker, members.folder, flush=True)
    time.sleep(600)
"""


def test_closing_ends_grandchildren_in_other_sessions_too(members: Family) -> None:
    command = [sys.executable, "-c", GRANDPARENT]
    child = members.spawn("web", command, members.folder / "log", {}, Pinning())
    assert eventually(lambda: len(marked(members.marker)) == 2)
    members.close()
    assert not child.running
    assert marked(members.marker) == []
    assert not members.folder.exists()


def test_output_goes_to_the_log(members: Family) -> None:
    command = [sys.executable, "-c", "print('one'); print('two'); raise SystemExit(3)"]
    child = members.spawn("web", command, members.folder / "log", {}, Pinning())
    assert child.process.wait(LIMIT_S) == 3
    assert child.log_tail().split() == ["one", "two"]


def test_a_complaint_is_shown_however_much_was_printed_after_it(members: Family) -> None:
    code = "print('blockpoint: no space left'); [print('statistics', n) for n in range(50)]"
    child = members.spawn("generator", [sys.executable, "-c", code], members.folder / "log", {}, Pinning())
    assert child.process.wait(LIMIT_S) == 0
    lines = [line.strip() for line in child.log_tail().splitlines()]
    assert lines[0] == "blockpoint: no space left"
    assert lines[1:] == [f"statistics {n}" for n in range(42, 50)]


def test_temporary_files_of_a_killed_child_go_with_the_family(members: Family, tmp_path: Path) -> None:
    code = "import tempfile, time; print(tempfile.mkdtemp(), flush=True); time.sleep(600)"
    child = members.spawn("web", [sys.executable, "-c", code], tmp_path / "log", {}, Pinning())
    assert eventually(lambda: child.log.stat().st_size > 0)
    made = Path(child.log.read_text().strip())
    assert made.is_dir()
    members.stop(child, 0.0)
    members.close()
    assert not made.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_harness_however_it_ends(number: signal.Signals) -> None:
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert harness.stdout is not None
    with harness.stdout as stdout:
        marker, folder = stdout.readline().decode().split()
    assert eventually(lambda: len(marked(marker)) >= 2)
    harness.send_signal(number)
    harness.wait(LIMIT_S)
    assert eventually(lambda: marked(marker) == [])
    assert eventually(lambda: not Path(folder).exists())


def test_sigterm_leaves_through_the_cleanup() -> None:
    cleaned = []

    def body() -> None:
        with interruptible():
            try:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(5)
            finally:
                cleaned.append(True)

    with pytest.raises(SystemExit) as left:
        body()
    assert (left.value.code, cleaned) == (128 + signal.SIGTERM, [True])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
