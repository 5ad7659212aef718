"""What becomes of a campaign when something under it dies, stands still, fills up or jumps."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from harness.campaign.progress import minutes
from harness.trial.observation import UNSAMPLED
from results.columns import LEDGER_RECORD
from results.ledger_file import read_ledger
from results.schema import Trial
from results.store import Campaign, open_campaign
from results.terms import NEVER, Moment

from .blockpoint import LIMIT_S, QUIET, blockpoint, eventually, python_with, started

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
LONG_ENOUGH = ["--seconds", "2"]
"""for the injection to fall within the load, though its moment is only seen a while after it has come"""
SMALL = ["run", "--profile", "smoke", "--duration", "20ms", "--seconds", "1", *QUIET]
JUMPING = """
import time

_wall_s, _wall_ns = time.time, time.time_ns


def _ahead_s():
    return 86_400 if int(time.monotonic() / 0.3) % 2 else -86_400


time.time = lambda: _wall_s() + _ahead_s()
time.time_ns = lambda: _wall_ns() + _ahead_s() * 10**9
"""
"""a wall clock that is a day ahead or a day behind, by turns of 0.3 s"""


class Hit:
    """A running campaign `hit` in a folder of its own, and ways to hurt it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.runs, self.temporary = folder / "runs", folder / "tmp"
        self.temporary.mkdir()
        where = {"runs": self.runs, "TMPDIR": str(self.temporary)}
        self._running = started(*SMALL, *arguments, "--name", "hit", **where)  # type: ignore[arg-type]

    def processes(self, *words: str) -> Iterator[psutil.Process]:
        """Yield the campaign's living processes whose command line has these words."""
        for process in psutil.process_iter():
            try:
                own = process.environ().get("BLOCKPOINT_RUNS") == str(self.runs)
                if own and all(word in " ".join(process.cmdline()) for word in words):
                    yield process
            except (psutil.Error, OSError):
                continue

    def await_(self, condition: Callable[[], bool]) -> None:
        assert eventually(lambda: condition() or self._running.poll() is not None)
        assert self._running.poll() is None, self._running.communicate()[0]

    def loading(self, trial: str, tasks: int = 5) -> bool:
        """Say whether a trial is under way that has seen its first tasks."""
        if not any((self.runs / "hit" / "trials").glob(f".partial-{trial}-*/logs/generator.log")):
            return False
        events = [read_ledger(path) for path in self.temporary.glob("*/*/ledger/ledger-*.bin")]
        moments = np.concatenate(events or [np.empty(0, LEDGER_RECORD)])["moment"]
        return int((moments == Moment.ACCEPTED).sum()) >= tasks

    def strike(self, number: signal.Signals, *words: str) -> None:
        """Send a signal to those processes with these words that no other of them has started."""
        self.await_(lambda: bool(list(self.processes(*words))))
        found = {process.pid: process for process in self.processes(*words)}
        for process in found.values():
            if process.ppid() not in found:
                process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for its end; nothing of it may be left then. Returns its exit code and output."""
        try:
            output, _ = self._running.communicate(timeout=LIMIT_S)
        finally:
            self._running.kill()
            self._running.wait()
        assert "Traceback" not in output
        assert eventually(lambda: not list(self.processes()))
        assert eventually(lambda: not list(self.temporary.iterdir()))
        return self._running.returncode, output

    def sealed(self) -> dict[str, Trial]:
        """Return the sealed trials by the first word of their names, every table of which can be read."""
        campaign = open_campaign(self.runs / "hit")
        trials = campaign.trials()
        for trial in trials:
            for name in trial.rows:
                campaign.table(trial, name)
        return {trial.plan.trial_id.partition("-")[0]: trial for trial in trials}


def rated(*rates_per_s: int) -> list[str]:
    return [word for rate in rates_per_s for word in ("--rate", str(rate))]


def resumed(hit: Hit) -> dict[str, Trial]:
    done = blockpoint(*SMALL, "--resume", "hit", runs=hit.runs)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return hit.sealed()


def test_what_dies_costs_its_trial_and_no_other(tmp_path: Path) -> None:
    """Of five trials the first loses its broker, then the worker, the generator and the sampler go."""
    rates = rated(20, 25, 30, 35, 40)
    hit = Hit(tmp_path, "--strategy", "celery/tuned", "--attempts", "1", *rates, *LONG_ENOUGH)
    victims = {"0001": "broker.conf", "0002": "worker", "0003": "locust", "0004": "harness.trial.sampler"}
    for trial, words in victims.items():
        hit.await_(lambda trial=trial: hit.loading(trial))  # type: ignore[misc]
        hit.strike(signal.SIGKILL, words)
    code, output = hit.end()
    assert code == 1, output
    assert re.search(r"0001-\S+ could not be measured: the broker process of celery/tuned exited", output)
    assert re.search(r"0002-\S+ could not be measured: the worker process of celery/tuned exited", output)
    assert re.search(r"0003-\S+ could not be measured: the generator ended with code -9", output)
    assert len(re.findall(r"^not measured: 000[123]-", output, re.MULTILINE)) == 3, output
    sealed = hit.sealed()
    assert list(sealed) == ["0004", "0005"]
    assert [UNSAMPLED in trial.reasons for trial in sealed.values()] == [True, False]
    assert sealed["0005"].accounts.finished == sealed["0005"].accounts.accepted > 0
    assert list(resumed(hit)) == ["0001", "0002", "0003", "0004", "0005"]


def test_a_target_that_stands_still_is_refused_and_replaced(tmp_path: Path) -> None:
    """Stopped under the first load, whether that drained or not: the second trial gets another target."""
    hit = Hit(tmp_path, "--strategy", "background_tasks/default", *rated(30, 40, 50), *LONG_ENOUGH)
    hit.await_(lambda: hit.loading("0001"))
    hit.strike(signal.SIGSTOP, "uvicorn")
    code, output = hit.end()
    assert code in (0, 1), output
    sealed = hit.sealed()
    stopped = sealed["0001"]
    assert list(sealed) == ["0001", "0002", "0003"]
    assert stopped.load.unknown > 0
    assert any(reason.startswith("halted: the web") for reason in stopped.reasons)
    assert stopped.accounts.unaccounted == 0
    assert sealed["0002"].load.unknown == sealed["0003"].load.unknown == 0


def test_nothing_measured_hangs_on_the_wall_clock(tmp_path: Path) -> None:
    """Every process of the campaign sees a wall clock that jumps by two days, there and back."""
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(JUMPING)
    look = (
        "import time\n"
        "looks = [time.sleep(0.05) or time.time() - time.monotonic() for _ in range(40)]\n"
        "print(round((max(looks) - min(looks)) / 86_400))"
    )
    python = python_with(tmp_path / "venv", clock)
    seen = subprocess.run([python, "-c", look], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "2"
    strategies = ["--strategy", "background_tasks/default", "--strategy", "threadpool/tuned"]
    done = blockpoint(*SMALL, *strategies, *rated(40), "--name", "hit", runs=tmp_path / "runs", python=python)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "runs" / "hit")
    trials = campaign.trials()
    assert len(trials) == 2, done.stdout + done.stderr
    for trial in trials:
        assert trial.drained
        assert trial.accounts.finished == trial.accounts.accepted == trial.load.scheduled > 0
        check_plausible(campaign, trial)
    shown = re.findall(r"(\d+):\d\d elapsed, (\d+):\d\d left", done.stdout)
    assert len(shown) == 2
    assert all(int(words) < 30 for pair in shown for words in pair), minutes(86_400)


def check_plausible(campaign: Campaign, trial: Trial) -> None:
    """All times of a trial lie within a minute of each other and in their order."""
    (step,) = trial.load.steps
    assert step.to_ns - step.from_ns == pytest.approx(1e9, rel=0.01)
    requests, events = campaign.table(trial, "requests"), campaign.table(trial, "events")
    due, sent, replied = (np.asarray(requests[f"{name}_ns"]) for name in ("due", "sent", "replied"))
    assert (due <= sent).all()
    assert (sent <= replied).all()
    resources = campaign.table(trial, "resources")
    probed = np.asarray(resources["loop_lag_ns"])
    assert probed.max(initial=0) < 60e9
    for at in (due, replied, np.asarray(events["at_ns"]), np.asarray(resources["at_ns"])):
        assert (abs(at - step.from_ns) < 60e9).all()
        assert (at != NEVER).all()
    roles = np.asarray(resources["role"].to_pylist())
    cores = np.asarray(resources["cpu_cores"])
    assert (cores[(roles == "web") | (roles == "generator")] < 64).all()
    assert trial.load.slip_p99_ms < 60_000


@pytest.mark.skipif(not shutil.which("unshare"), reason="no way to make a small file system without root")
def test_a_full_disk_loses_nothing_sealed_and_the_campaign_can_go_on(tmp_path: Path) -> None:
    """On a real file system that runs out of room at the manifest, at a target's logs, in a seal, ..."""
    allowed = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if allowed.returncode:
        pytest.skip("making a mount namespace is not permitted here")
    sizes = ["size=2g,nr_inodes=2", "size=2g,nr_inodes=3", "size=8m,nr_inodes=1k"]
    sizes += [f"size=2g,nr_inodes={inodes}" for inodes in (6, 12, 21)]
    enough = "size=2g,nr_inodes=1k"
    command = ["unshare", "-rm", sys.executable, "-m", "tests.harness.on_a_full_disk", str(tmp_path)]
    command += [*sizes, enough]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    *cramped, last = (json.loads(line) for line in done.stdout.splitlines())
    sealed: set[str] = set()
    for tried in cramped:
        assert "Traceback" not in tried["said"]
        assert tried["code"] in (1, 2), tried
        assert re.search(r"No space left on device|only \d+ MiB are free", tried["said"]), tried
        assert len([line for line in tried["said"].splitlines() if line.startswith("error: ")]) <= 1
        assert sealed <= set(tried["sealed"])
        sealed = set(tried["sealed"])
    assert [tried["begun"] for tried in cramped] == [False, False, False, True, True, True]
    assert len(sealed) == 1
    assert last["code"] in (0, 1)
    assert last["sealed"] == last["planned"] != []


def test_campaigns_that_are_killed_at_random_moments_leave_nothing_behind() -> None:
    command = [sys.executable, "-m", "benchmarks", "kills", "--kills", "3", "--seed", "5"]
    command += ["--strategy", "arq/tuned"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"campaigns completed: [1-9]", done.stdout)
    assert done.stdout.count("(to reach: 0)") == 2
