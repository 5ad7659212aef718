"""A packed campaign is read as the one that it was packed from; what harms it is refused in one line."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from results.base import SCHEMA
from results.columns import EVENTS
from results.errors import BlockpointError
from results.failures import keep_failure, read_failures
from results.packed import TRIALS
from results.packing import main, pack
from results.store import Campaign, open_campaign
from results.sums import SUMS, seal
from results.tables import write_table

from .conftest import PLAN, columns, seal_one, trial


@pytest.fixture
def packed(campaign: Campaign, tmp_path: Path) -> Campaign:
    seal_one(campaign)
    seal_one(campaign, attempt=2)
    staged = campaign.stage("short", 1)
    plan = msgspec.structs.replace(PLAN, trial_id="short")
    campaign.seal(staged, trial({"events": write_table(staged, "events", columns(EVENTS, 2))}, plan=plan))
    pack(campaign, tmp_path / "packed")
    return open_campaign(tmp_path / "packed")


def test_every_document_and_row_is_the_same(campaign: Campaign, packed: Campaign) -> None:
    assert packed.manifest == campaign.manifest
    assert packed.trials() == campaign.trials()
    assert [len(trial.rows) for trial in packed.trials()] == [4, 4, 1]
    for each in campaign.trials():
        for name in each.rows:
            assert packed.table(each, name).to_pylist() == campaign.table(each, name).to_pylist()
            assert packed.table(each, name).schema == campaign.table(each, name).schema


def test_a_trial_knows_no_words_of_the_others(campaign: Campaign, packed: Campaign) -> None:
    for each in campaign.trials()[:2]:
        own = campaign.table(each, "requests")["error"].combine_chunks().dictionary.to_pylist()
        assert packed.table(each, "requests")["error"].combine_chunks().dictionary.to_pylist() == own


def test_it_is_a_few_files_that_anyone_can_check(packed: Campaign) -> None:
    tables = ("bystanders", "events", "requests", "resources")
    expected = {"manifest.json", TRIALS, SUMS, *(f"{name}.parquet" for name in tables)}
    assert {path.name for path in packed.folder.iterdir()} == expected
    checked = subprocess.run(["sha256sum", "-c", SUMS], cwd=packed.folder, capture_output=True, check=False)
    assert checked.returncode == 0
    assert checked.stdout.count(b": OK") == len(expected) - 1


def test_packing_again_gives_the_same_bytes(packed: Campaign, tmp_path: Path) -> None:
    pack(packed, tmp_path / "again")
    assert (tmp_path / "again" / SUMS).read_bytes() == (packed.folder / SUMS).read_bytes()


def test_nothing_can_be_added(packed: Campaign) -> None:
    with pytest.raises(BlockpointError, match="packed for keeping"):
        packed.writing()


def test_why_trials_failed_is_kept(campaign: Campaign, tmp_path: Path) -> None:
    keep_failure(campaign.folder, PLAN, OSError("no disk"))
    pack(campaign, tmp_path / "packed")
    assert [each.why for each in read_failures(tmp_path / "packed")] == ["no disk"]


def test_what_is_no_packed_campaign_is_not_replaced(campaign: Campaign, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert main([str(campaign.folder), str(tmp_path / "mine")]) == 1
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    assert main([]) == 2
    assert main(["nobody", str(tmp_path / "x")]) == 1


@pytest.mark.parametrize("name", ["manifest.json", TRIALS, "events.parquet", SUMS])
@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-9]),
        lambda path: path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: shutil.copy(path.with_name("requests.parquet"), path),
    ],
    ids=["cut", "flipped", "emptied", "removed", "replaced"],
)
def test_a_file_that_is_not_as_it_was_sealed_is_refused(
    packed: Campaign, name: str, harm: Callable[[Path], object]
) -> None:
    harm(packed.folder / name)
    with pytest.raises(BlockpointError) as caught:
        read_all(packed.folder)
    assert "\n" not in str(caught.value)


def read_all(folder: Path) -> None:
    campaign = open_campaign(folder)
    for each in campaign.trials():
        for name in each.rows:
            campaign.table(each, name)


@pytest.mark.parametrize(
    ("forge", "says"),
    [
        (lambda lines: [*lines, lines[0]], "twice"),
        (lambda lines: lines[1:], "rows, but"),
        (lambda lines: [b"{}", *lines], "line 1"),
        (lambda lines: [lines[0].replace(b'"events":3', b'"events":4'), *lines[1:]], "rows, but"),
        (lambda lines: [*lines, b" " * 10**7], "longer or shorter"),
        (lambda lines: [_newer(lines[0]), *lines[1:]], "upgrade blockpoint"),
    ],
)
def test_documents_that_were_forged_are_refused(
    packed: Campaign, forge: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    lines = gzip.decompress((packed.folder / TRIALS).read_bytes()).splitlines()
    (packed.folder / TRIALS).write_bytes(gzip.compress(b"\n".join(forge(lines)) + b"\n"))
    seal(packed.folder, [path.name for path in packed.folder.iterdir() if path.name != SUMS])
    with pytest.raises(BlockpointError, match=says):
        read_all(packed.folder)


def _newer(line: bytes) -> bytes:
    return json.dumps(json.loads(line) | {"schema": SCHEMA + 1}).encode()
