"""Which clocks are told apart."""

import subprocess
import sys
from pathlib import Path

import pytest

from results import clock

ROOT = Path(__file__).parents[2]


def offsets(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    file = folder / "timens_offsets"
    file.write_text(text)
    monkeypatch.setattr(clock, "OFFSETS", file)
    return clock.boot_id()


@pytest.mark.skipif(not clock.KERNEL.exists(), reason="Linux names its boots")
def test_a_time_namespace_has_a_clock_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = clock.KERNEL.read_text().strip()
    assert offsets("monotonic           0         0\nboottime   9  0\n", tmp_path, monkeypatch) == boot
    ahead = offsets("monotonic        1000         5\nboottime   0  0\n", tmp_path, monkeypatch)
    behind = offsets("monotonic       -1000         5\n", tmp_path, monkeypatch)
    assert len({boot, ahead, behind}) == 3
    assert ahead.startswith(boot)


def test_a_real_time_namespace_is_told_apart() -> None:
    ask = [sys.executable, "-c", "from results.clock import boot_id; print(boot_id())"]
    inside = ["unshare", "-T", "--monotonic", "7", "-f", *ask]
    try:
        there = subprocess.run(inside, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no time namespaces here")
    here = subprocess.run(ask, cwd=ROOT, capture_output=True, text=True, check=True)
    assert here.stdout.strip() == clock.boot_id()
    assert there.stdout != here.stdout
