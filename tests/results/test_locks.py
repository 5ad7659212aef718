"""One writer a campaign, and a lock that goes with its holder."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from results.errors import BlockpointError
from results.locks import HeldError, held, holders_note
from results.store import Campaign, open_campaign

from .conftest import PLAN, seal_one

HOLD = """
import pathlib, sys, time
from results.locks import held
with held(pathlib.Path(sys.argv[1]), "a note"):
    print("held", flush=True)
    time.sleep(600)
"""
CONTEND = """
import os, pathlib, sys
from results.locks import HeldError, held
path, taken = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
turns = 0
while turns < 50:
    try:
        with held(path, ""):
            taken.touch(exist_ok=False)
            taken.unlink()
            turns += 1
    except HeldError:
        pass
"""


def refusal(campaign: Campaign) -> str:
    with pytest.raises(BlockpointError) as refused, campaign.writing():
        pass
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_the_second_writer_is_told_of_the_first(campaign: Campaign) -> None:
    with campaign.writing():
        assert f"process {os.getpid()} is adding to this campaign" in refusal(open_campaign(campaign.folder))
    with open_campaign(campaign.folder).writing():
        pass


def test_a_lock_is_no_part_of_a_campaign(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    before = sorted(campaign.folder.rglob("*"))
    with campaign.writing():
        assert open_campaign(campaign.folder).trials() == [sealed]
        assert {*campaign.folder.rglob("*")} - {*before} == {campaign.folder / ".lock"}
    assert sorted(campaign.folder.rglob("*")) == before


def test_a_lock_goes_with_its_holder_however_it_ends(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline()
        with pytest.raises(HeldError, match="a note"), held(path, "mine"):
            pass
        assert holders_note(path) == "a note"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert path.exists()
    assert holders_note(path) is None
    assert not path.exists()
    with held(path, "mine"):
        assert holders_note(path) == "mine"


def test_no_two_hold_it_while_it_comes_and_goes(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONTEND, str(tmp_path / ".lock"), str(tmp_path / "taken")]
    contenders = [subprocess.Popen(command) for _ in range(4)]
    assert [each.wait(100) for each in contenders] == [0] * 4


@pytest.mark.parametrize(
    "plant",
    [
        lambda path, _: os.mkfifo(path),
        lambda path, other: path.symlink_to(other),
        lambda path, other: path.hardlink_to(other),
        lambda path, _: path.mkdir(),
        lambda path, _: path.symlink_to(path),
    ],
    ids=["pipe", "link", "second name", "folder", "circle"],
)
def test_what_a_stranger_put_in_its_place_is_refused_and_left_alone(
    campaign: Campaign, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    plant(campaign.folder / ".lock", precious)
    assert "cannot be locked" in refusal(campaign)
    assert precious.read_text() == "precious"


def test_each_try_at_a_trial_has_a_folder_of_its_own(campaign: Campaign) -> None:
    one, other = campaign.stage(PLAN.trial_id, 1), campaign.stage(PLAN.trial_id, 1)
    assert one != other
    assert [[path.name for path in folder.iterdir()] for folder in (one, other)] == [["logs"]] * 2
    assert open_campaign(campaign.folder).trials() == []
    campaign.discard_partial()
    assert list(campaign.trials_folder.iterdir()) == []
