import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from harness.target.cores import Pinning
from harness.target.kin import MARKER, Kin, marked
from harness.target.processes import RENEWED, Family
from harness.terminal.signals import Ended, interruptible
from results.inheritance import inherited

from .blockpoint import LIMIT_S, eventually

GRANDPARENT = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
time.sleep(600)
"""
HARNESS = f"""
import sys, time
from pathlib import Path
from harness.target.cores import Pinning
from harness.target.processes import family
with family() as members:
    command = [sys.executable, "-c", {GRANDPARENT!r}]
    members.spawn("web", command, members.folder / "log", {{}}, Pinning())
    print(members.marker, members.folder, flush=True)
    time.sleep(600)
"""


HEEDFUL = "import time; print('up', flush=True); time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {HEEDFUL}"
HIDING = """
import os, subprocess, sys, time
HIDDEN = "import time; time.sleep(600) # {token}"
subprocess.Popen([sys.executable, "-c", HIDDEN], start_new_session=True)
subprocess.Popen([sys.executable, "-c", HIDDEN])
time.sleep(600) # {token}
"""
"""becomes three processes with empty environments: itself, one in its session, one in a session of its own"""
HIDER = "import os, sys; os.execve(sys.executable, [sys.executable, '-c', {code!r}], {{}})"
SPAWNER = """
import sys
from harness.target.cores import Pinning
from harness.target.processes import family
with family() as members:
    print(members.marker, flush=True)
    for code in map(eval, sys.stdin):
        members.spawn("web", [sys.executable, "-c", code], members.folder / "log", {}, Pinning())
"""
"""starts whatever code it is told, a line each"""


class Spawner:
    """A harness of its own, which starts what it is told."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SPAWNER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.marker = self.process.stdout.readline().strip()

    def spawn(self, code: str) -> None:
        assert self.process.stdin is not None
        print(repr(code), file=self.process.stdin, flush=True)

    def guardians(self) -> list[psutil.Process]:
        return saying(f"harness.target.guardian {self.marker}")

    def kill(self) -> str:
        """SIGKILL it; returns what it said on standard error."""
        self.process.kill()
        _, said = self.process.communicate(timeout=20)
        return said


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    made = Spawner()
    yield made
    made.process.kill()
    for left in saying(made.marker):
        left.kill()
    made.process.communicate()


def saying(word: str) -> list[psutil.Process]:
    """Return the living processes with that word in their command lines."""
    found = []
    for process in psutil.process_iter():
        try:
            if word in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def hidden(token: str) -> str:
    """Return code that becomes three processes with nothing of ours in their environments."""
    return HIDER.format(code=HIDING.replace("{token}", token))


def test_closing_ends_grandchildren_in_other_sessions_too(members: Family) -> None:
    command = [sys.executable, "-c", GRANDPARENT]
    child = members.spawn("web", command, members.folder / "log", {}, Pinning())
    assert eventually(lambda: len(marked(members.marker)) == 2)
    members.close()
    assert not child.running
    assert marked(members.marker) == []
    assert not members.folder.exists()


def test_what_heeds_no_request_to_end_is_killed_and_named(members: Family) -> None:
    both = [
        members.spawn(role, [sys.executable, "-c", code], members.folder / role, {}, Pinning())
        for role, code in (("worker", DEAF), ("web", HEEDFUL))
    ]
    assert eventually(lambda: all("up" in child.log_tail() for child in both))
    assert members.end(both, 1.0) == both[:1]
    assert not any(child.running for child in both)


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


def test_a_harness_that_is_killed_leaves_no_process_that_hides(spawner: Spawner) -> None:
    """Without our marker, in sessions of their own, or orphaned: all are known by where they come from."""
    token = f"hidden-{spawner.marker}"
    spawner.spawn(hidden(token))
    assert eventually(lambda: len(saying(token)) == 3)
    assert marked(spawner.marker) == []
    assert len({os.getsid(process.pid) for process in saying(token)}) == 2
    spawner.kill()
    assert eventually(lambda: not saying(spawner.marker))


def test_an_orphan_that_hides_is_known_by_its_session(spawner: Spawner) -> None:
    token = f"hidden-{spawner.marker}"
    spawner.spawn(hidden(token))
    assert eventually(lambda: len(saying(token)) == 3)
    child, *descendants = sorted(saying(token), key=lambda process: process.create_time())
    mate = next(process for process in descendants if os.getsid(process.pid) == child.pid)
    for process in {child, *descendants} - {mate}:
        process.kill()
    assert eventually(lambda: saying(token) == [mate])
    spawner.kill()
    assert eventually(lambda: not saying(spawner.marker))


def test_closing_ends_what_hides_too(members: Family) -> None:
    token = f"hidden-{members.marker}"
    command = [sys.executable, "-c", hidden(token)]
    members.spawn("web", command, members.folder / "log", {}, Pinning())
    assert eventually(lambda: len(saying(token)) == 3)
    members.close()
    assert eventually(lambda: not saying(token))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_another_guardian_knows_all_that_the_first_knew(spawner: Spawner, number: signal.Signals) -> None:
    token = f"hidden-{spawner.marker}"
    spawner.spawn(hidden(token))
    assert eventually(lambda: len(saying(token)) == 3)
    (first,) = spawner.guardians()
    first.send_signal(number)
    assert eventually(lambda: first.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_STOPPED))
    spawner.spawn(f"import time; time.sleep(600) # later-{spawner.marker}")
    assert eventually(lambda: [found.pid for found in spawner.guardians() if found != first] != [])
    assert eventually(lambda: len(saying(f"later-{spawner.marker}")) == 1)
    assert spawner.kill().splitlines() == [RENEWED]
    assert eventually(lambda: not saying(spawner.marker))


def test_a_number_that_another_process_has_now_is_nobody_of_ours(members: Family) -> None:
    """The child is gone, and a stranger that leads a session of its own has got its number."""
    code = [sys.executable, "-c", "import time; time.sleep(600)"]
    child = members.spawn("web", code, members.folder / "log", {}, Pinning())
    stranger = subprocess.Popen(code, start_new_session=True)
    kin = Kin("a marker that nobody carries")
    kin.add(child.pid)
    assert [process.pid for process in kin.living()] == [child.pid]
    kin = Kin("a marker that nobody carries")
    kin._leaders[stranger.pid] = psutil.Process(child.pid)
    kin.add(0x7FFFFFFF)
    assert kin.living() == []
    stranger.kill()
    stranger.wait()


def test_a_child_gets_what_it_is_told_and_what_is_needed(
    members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the caller's shell and folder hold: the same for a broker, a worker and a generator."""
    (tmp_path / "redis.py").write_text("raise SystemExit('a stranger ran')\n")
    monkeypatch.chdir(tmp_path)
    for name in ("CELERY_BROKER_URL", "WEB_CONCURRENCY", "LOCUST_RUN_TIME", "PYTHONPATH", "https_proxy"):
        monkeypatch.setenv(name, str(tmp_path))
    code = "import json, os, sys, redis; print(json.dumps([dict(os.environ), os.getcwd(), sys.path]))"
    given = {"BLOCKPOINT_SLOTS": "3"}
    child = members.spawn("web", [sys.executable, "-c", code], tmp_path / "log", given, Pinning())
    assert child.process.wait(20) == 0, child.log_tail()
    environ, folder, path = json.loads(child.log.read_text())
    ours = {"TMPDIR": str(members.folder), MARKER: members.marker}
    coerced = {"LC_CTYPE": environ["LC_CTYPE"]} if "LC_CTYPE" in environ else {}  # by Python, from C
    assert environ == {**inherited(), **given, **ours, **coerced}
    assert folder == str(members.folder)
    assert not [place for place in path if not place or place.startswith(str(tmp_path))]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_through_the_cleanup(number: signal.Signals) -> None:
    cleaned = []
    before = signal.getsignal(number)

    def body() -> None:
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            finally:
                cleaned.append(True)

    with pytest.raises(Ended) as left:
        body()
    assert (left.value.code, left.value.name, cleaned) == (128 + number, number.name, [True])
    assert signal.getsignal(number) is before


def test_what_a_shell_ignores_in_the_background_is_heard_and_what_nohup_ignores_is_not() -> None:
    code = """
import signal
from harness.terminal.signals import interruptible
with interruptible():
    print(*(signal.getsignal(number) is signal.SIG_IGN for number in (2, 15, 1)))
"""

    def ignore() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    asked = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=ignore,
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.split() == ["False", "False", "True"]
