"""Who else measures on this machine is seen, said and written down; planted files achieve nothing."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.campaign.neighbours import Company, Neighbours, measuring
from harness.campaign.session import Procedure, Session
from harness.drills.trial import DrillProcedure
from harness.trial.measurement import Limits, Measuring
from harness.trial.noise import reasons_for_company
from results.store import Campaign
from tests.results.conftest import MANIFEST, trial

MEASURE = """
import pathlib, sys
from harness.campaign.neighbours import measuring
with measuring("other\\n", pathlib.Path(sys.argv[1])) as seen:
    print("measuring", flush=True)
    sys.stdin.read()
"""
ALL_CORES = os.cpu_count() or 1


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def other(shared: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", MEASURE, str(shared)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline()
        yield process
        process.kill()


def test_another_is_seen_while_it_measures_and_no_longer(
    shared: Path, other: "subprocess.Popen[bytes]"
) -> None:
    with measuring("ours", shared) as neighbours:
        (name,) = neighbours.names()
        assert name.startswith("campaign other")
        assert "\n" not in " ".join(neighbours.warnings(0.1))
        assert name.endswith(f"(pid {other.pid})")
        other.kill()
        other.wait()
        assert neighbours.names() == []
    assert [*shared.glob("*/*")] == []


def test_who_came_and_went_within_a_trial_is_remembered(
    shared: Path, other: "subprocess.Popen[bytes]"
) -> None:
    with measuring("ours", shared) as neighbours:
        company = Company(neighbours)
        company.tick()
        other.communicate()
        company.tick()
        assert [name for name in company.seen() if f"(pid {other.pid})" in name] == company.seen() != []
        assert Company(neighbours).seen() == []


def test_both_are_warned_and_their_trials_refused_unless_that_is_allowed() -> None:
    assert reasons_for_company(["campaign a (pid 1)"], 0.1) == [
        "noise: campaign a (pid 1) measured on this machine meanwhile"
    ]
    assert reasons_for_company(["campaign a (pid 1)"], ALL_CORES) == []


@pytest.mark.parametrize(
    ("procedure", "refused"),
    [
        (Measuring(Limits(foreign_cores=0.1)), True),
        (Measuring(Limits(foreign_cores=ALL_CORES)), False),
        (DrillProcedure(MANIFEST), False),
    ],
)
def test_a_trial_names_who_measured_beside_it(procedure: Procedure, refused: bool) -> None:
    setup: Any = SimpleNamespace(procedure=procedure)
    session = Session(setup, Campaign(Path(), MANIFEST))
    alone = trial({}, reasons=["slip"])
    assert session._witnessed(alone, []) == alone
    beside = session._witnessed(alone, ["campaign a (pid 1)"])
    assert beside.noise
    assert beside.noise.company == ["campaign a (pid 1)"]
    assert len(beside.reasons) == 1 + refused


def test_a_warning_names_the_other_and_what_lets_it_pass(
    shared: Path, other: "subprocess.Popen[bytes]"
) -> None:
    with measuring("ours", shared) as neighbours:
        (strict,), (lenient,) = (list(neighbours.warnings(limit)) for limit in (0.1, ALL_CORES))
    assert f"(pid {other.pid}) is measuring on this machine" in strict
    assert f"--max-foreign-cores is {ALL_CORES}" in strict
    assert "refused" not in lenient


@pytest.mark.parametrize(
    "plant",
    [
        lambda place, elsewhere: place.symlink_to(elsewhere),
        lambda place, _: place.write_text(""),
        lambda place, _: os.mkfifo(place),
        lambda place, _: place.mkdir(mode=0o777) or place.chmod(0o777),
    ],
    ids=["link", "file", "pipe", "open to all"],
)
def test_a_place_that_is_not_ours_alone_is_not_used_and_that_is_said(
    shared: Path, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    plant(shared / f"blockpoint-{os.geteuid()}", elsewhere)
    with measuring("ours", shared) as neighbours:
        (line,) = neighbours.warnings(0.1)
        assert "cannot be told" in line
        assert neighbours.names() == []
    assert list(elsewhere.iterdir()) == []


def test_without_a_place_to_look_nobody_is_seen() -> None:
    assert Neighbours().names() == list(Neighbours().warnings(0.1)) == []
