import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.trials.derive import derive
from harness.target.cores import available_cores, choose
from results.schema import Trial
from results.store import open_campaign

from .blockpoint import blockpoint

pytestmark = pytest.mark.e2e

SHORT = ["run", "--profile", "smoke", "--strategy", "inline", "--rate", "20", "--seconds", "2"]
ONCE = ["--duration", "10ms", "--attempts", "1", "--no-report", "--name", "x"]


@pytest.fixture
def neighbour() -> Iterator["subprocess.Popen[bytes]"]:
    """Run a busy loop on the target's core, where it has one; it is none of our family."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            if web := choose("one-box", available_cores()).web:
                os.sched_setaffinity(process.pid, web)
            yield process
        finally:
            process.kill()


def only_trial(runs: Path) -> Trial:
    (trial,) = open_campaign(runs / "x").trials()
    return trial


@pytest.mark.usefixtures("neighbour")
def test_a_noisy_neighbour_makes_a_trial_invalid_and_it_is_not_averaged_in(tmp_path: Path) -> None:
    done = blockpoint(*SHORT, *ONCE, "--quiet-wait", "0.5", runs=tmp_path)
    trial = only_trial(tmp_path)
    assert any(reason.startswith("noise: ") for reason in trial.reasons), done.stdout
    assert "INVALID: " in done.stdout
    assert done.returncode == 1
    noise = trial.noise
    assert noise is not None
    assert noise.quiet is False
    assert noise.waited_s > 0.2
    derived = derive(tmp_path / "x")
    if noise.foreign_cores is None:
        # the sampler gives way, and there was no second core on which it could have looked
        assert any(reason.startswith("noise: nobody saw") for reason in trial.reasons)
    else:
        assert any(reason.startswith("noise: other programs used ") for reason in trial.reasons)
        assert noise.foreign_cores > 0.2
        assert (derived.summary["foreign_cores"] > 0.2).all()
    points = derived.points
    assert (points["trials"] == 0).all()
    assert (points["invalid"] == 1).all()
    assert points[["held_per_s", "failed_per_s"]].isna().all(axis=None)


def test_who_does_not_look_does_not_wait(tmp_path: Path) -> None:
    blockpoint(*SHORT, *ONCE, "--quiet-wait", "0", runs=tmp_path)
    trial = only_trial(tmp_path)
    assert trial.noise is not None
    assert (trial.noise.quiet, trial.noise.waited_s, trial.noise.hiccup_p99_ms) == (None, 0.0, None)
