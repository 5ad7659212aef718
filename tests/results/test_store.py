"""A campaign's folder: names are never overwritten, trials appear whole or not at all."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.base import SCHEMA
from results.columns import EVENTS
from results.documents import write_document
from results.errors import BlockpointError
from results.store import (
    Campaign,
    campaign_folder,
    create_campaign,
    open_campaign,
    runs_folder,
    trial_folder_name,
    without_the_known,
)
from results.sums import SUMS
from results.tables import write_table

from .conftest import LOAD, MANIFEST, PLAN, columns, seal_one, trial


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def refused(line_of: pytest.ExceptionInfo[BlockpointError]) -> str:
    assert "\n" not in str(line_of.value)
    return str(line_of.value)


def test_create_then_open(tmp_path: Path) -> None:
    campaign = create_campaign(tmp_path / "deep" / "a-campaign", MANIFEST)
    again = open_campaign(campaign.folder)
    assert again == campaign
    assert again.trials() == []
    assert again.manifest.subject("inline/default").strategy == "inline"


def test_an_existing_name_is_refused_and_untouched(campaign: Campaign) -> None:
    seal_one(campaign)
    before = tree(campaign.folder)
    with pytest.raises(BlockpointError) as caught:
        create_campaign(campaign.folder, msgspec.structs.replace(MANIFEST, seed=8))
    assert "--resume a-campaign" in refused(caught)
    assert tree(campaign.folder) == before


def test_a_place_that_cannot_hold_a_campaign_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "a", tmp_path / ("n" * 300)):
        with pytest.raises(BlockpointError) as caught:
            create_campaign(place, MANIFEST)
        assert "cannot create" in refused(caught)


def test_a_disk_full_at_the_manifest_does_not_take_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(BlockpointError, match="No space left"):
            create_campaign(tmp_path / "a", MANIFEST)
    create_campaign(tmp_path / "a", MANIFEST)


def test_dying_while_the_folder_is_made_does_not_take_the_name(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os.fsync = lambda _: os._exit(9)
        create_campaign(tmp_path / "a", MANIFEST)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not (tmp_path / "a").exists()
    assert open_campaign(create_campaign(tmp_path / "a", MANIFEST).folder).trials() == []


def test_a_sealed_trial_is_listed_with_its_tables(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    listed = open_campaign(campaign.folder).trials()
    assert listed == [sealed]
    for name, rows in sealed.rows.items():
        assert campaign.table(listed[0], name).num_rows == rows
    assert (campaign.folder_of(sealed) / "logs").is_dir()


def test_anyone_can_check_what_was_sealed(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    for folder, files in ((campaign.folder, 1), (campaign.folder_of(sealed), 5)):
        checked = subprocess.run(["sha256sum", "-c", SUMS], cwd=folder, capture_output=True, check=True)
        assert checked.stdout.count(b": OK") == files


def test_a_trial_says_of_its_target_only_what_the_manifest_does_not() -> None:
    subject = MANIFEST.subjects[0]
    said = {
        "service": "blockpoint",
        "strategy": "inline",
        "variant": "default",
        "subject": msgspec.to_builtins(subject),
        "boot_id": "b",
        "nonce": "n",
    }
    load = msgspec.structs.replace(LOAD, identity=said | {"versions": {"fastapi": "1"}})
    kept = without_the_known(msgspec.structs.replace(trial({}), load=load), MANIFEST).load.identity
    assert kept == {"nonce": "n", "versions": {"fastapi": "1"}}
    environment = {"packages": {"fastapi": "1", "arq": "2"}}
    knowing = msgspec.structs.replace(MANIFEST, environment=environment)
    assert without_the_known(msgspec.structs.replace(trial({}), load=load), knowing).load.identity == {
        "nonce": "n"
    }
    other = msgspec.to_builtins(msgspec.structs.replace(subject, workers=2))
    load = msgspec.structs.replace(LOAD, identity=said | {"subject": other, "variant": "tuned"})
    kept = without_the_known(msgspec.structs.replace(trial({}), load=load), MANIFEST).load.identity
    assert kept == {"nonce": "n", "subject": other, "variant": "tuned"}


def test_an_unsealed_trial_is_never_listed(campaign: Campaign) -> None:
    """Not even where all of it is written and only the rename is missing."""
    staged = campaign.stage(PLAN.trial_id, 1)
    write_table(staged, "events", columns(EVENTS, 3))
    write_document(staged / "trial.json", trial({"events": 3}))
    assert campaign.trials() == []
    assert open_campaign(campaign.folder).trials() == []


def test_dying_while_sealing_leaves_an_unsealed_trial(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    staged = campaign.stage(PLAN.trial_id, 1)
    rows = {"events": write_table(staged, "events", columns(EVENTS, 3))}
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            campaign.seal(staged, trial(rows))
    assert campaign.trials() == []
    campaign.discard_partial()
    assert list(campaign.trials_folder.iterdir()) == []


def test_a_trial_without_its_tables_is_not_sealed(campaign: Campaign) -> None:
    staged = campaign.stage(PLAN.trial_id, 1)
    for rows in ({"events": 3}, {"strangers": 1}):
        with pytest.raises(ValueError, match="cannot seal"):
            campaign.seal(staged, trial(rows))
    assert campaign.trials() == []


def test_attempts_stand_beside_each_other_and_none_is_overwritten(campaign: Campaign) -> None:
    first, second = seal_one(campaign), seal_one(campaign, attempt=2)
    assert campaign.trials() == [first, second]
    assert trial_folder_name(PLAN.trial_id, 2) == f"{PLAN.trial_id}.2"
    before = tree(campaign.folder_of(second))
    with pytest.raises(OSError, match="not empty"):
        seal_one(campaign, attempt=2)
    assert tree(campaign.folder_of(second)) == before


def test_discarding_partials_spares_the_sealed(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    before = tree(campaign.folder)
    write_table(campaign.stage("another", 1), "events", columns(EVENTS, 3))
    campaign.discard_partial()
    campaign.discard_partial()
    assert tree(campaign.folder) == before
    assert campaign.trials() == [sealed]


def test_a_table_that_was_not_sealed_is_refused(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    for rows in ({}, {"../../manifest": 1}):
        with pytest.raises(BlockpointError, match="without the table"):
            campaign.table(msgspec.structs.replace(sealed, rows=rows), next(iter(rows), "events"))
    (campaign.folder_of(sealed) / "events.parquet").unlink()
    with pytest.raises(BlockpointError, match="missing"):
        campaign.table(sealed, "events")


def test_a_flipped_bit_in_a_sealed_table_is_refused(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    path = campaign.folder_of(sealed) / "resources.parquet"
    whole = path.read_bytes()
    for at in range(0, len(whole), 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        with pytest.raises(BlockpointError, match="damaged"):
            campaign.table(sealed, "resources")
    path.write_bytes(whole)
    assert campaign.table(sealed, "resources").num_rows == 3


def test_a_sealed_folder_without_its_document_is_refused(campaign: Campaign) -> None:
    """Skipping it would give a table with fewer trials than were measured."""
    sealed = seal_one(campaign)
    (campaign.folder_of(sealed) / "trial.json").unlink()
    with pytest.raises(BlockpointError, match="cannot be read"):
        campaign.trials()


def test_a_trial_under_another_name_is_refused(campaign: Campaign) -> None:
    sealed = seal_one(campaign)
    shutil.copytree(campaign.folder_of(sealed), campaign.trials_folder / "copy")
    with pytest.raises(BlockpointError, match="moved or copied"):
        campaign.trials()


@pytest.mark.parametrize(
    ("what", "spoil", "says"),
    [
        ("no such folder", shutil.rmtree, "is this a campaign"),
        ("not a campaign", lambda f: (f / "manifest.json").write_text("{}"), "not a Blockpoint document"),
        ("half a manifest", lambda f: os.truncate(f / "manifest.json", 200), "truncated"),
        ("half a copy", lambda f: (f / "trials").rmdir(), "whole copy"),
        (
            "a newer format",
            lambda f: (f / "manifest.json").write_text(f'{{"schema": {SCHEMA + 1}}}'),
            "upgrade blockpoint",
        ),
    ],
)
def test_what_is_not_a_whole_campaign_is_not_opened(
    campaign: Campaign, what: str, spoil: Callable[[Path], object], says: str
) -> None:
    spoil(campaign.folder)
    with pytest.raises(BlockpointError) as caught:
        open_campaign(campaign.folder)
    assert says in refused(caught), what


def test_a_campaign_is_found_by_name_or_path(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPOINT_RUNS", str(campaign.folder.parent))
    assert runs_folder() == campaign.folder.parent
    assert campaign_folder("a-campaign") == campaign.folder
    assert campaign_folder(str(campaign.folder)) == campaign.folder


@pytest.mark.parametrize("name", ["nobody", "", "n" * 5000, "nul\0byte", "../..", "\udcff"])
def test_a_campaign_that_is_nowhere_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("BLOCKPOINT_RUNS", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BlockpointError, match="there is no campaign"):
        campaign_folder(name)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_changed_bytes_of_a_trial_give_a_trial_or_a_refusal(campaign: Campaign, data: st.DataObject) -> None:
    folder = campaign.trials_folder / PLAN.trial_id
    if not folder.exists():
        seal_one(campaign)
    document = folder / "trial.json"
    whole = document.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    put = data.draw(st.binary(min_size=1, max_size=2) | st.sampled_from([b"", b'"', b"0", b"-", b"/", b"."]))
    document.write_bytes(whole[:at] + put + whole[at + 1 :])
    try:
        (read,) = campaign.trials()
        for name in read.rows:
            campaign.table(read, name)
    except BlockpointError as error:
        assert "\n" not in str(error)  # noqa: PT017
    finally:
        document.write_bytes(whole)
