"""Whatever happens to a campaign's files: one clear line, or what the unharmed campaign says."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.derive import derive
from analysis.drills.charts import catalogue
from analysis.drills.derive import derive_drills
from analysis.drills.page import render_drills
from harness import cli
from results.errors import BlockpointError
from results.interviews import keep
from results.schema import Interview, Service, View
from results.store import open_campaign
from tests.analysis.synthetic import Cell, build
from tests.analysis.synthetic_drills import DrillCell, build_drills

KEYS = ["trial_id", "attempt", "step"]
FUZZ = settings(
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
TEXTS = ["", "\0", "ü\u202e\U0001f600", "../..", "x" * 100_000, "nan"]
NUMBERS = [0, -1, 2**31, 2**63 - 1, -(2**63), 2**64, 10**30, 0.5, -0.0, 1e308, -1e308, 5e-324]
ODD: st.SearchStrategy[Any] = st.sampled_from([None, True, *TEXTS, *NUMBERS, [], {}, [[]], ["\n"], {"": {}}])


@dataclass(frozen=True)
class Whole:
    """The campaign before anything happens to it."""

    folder: Path
    tables: dict[str, pd.DataFrame]

    @contextlib.contextmanager
    def copy(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(shutil.copytree(self.folder, Path(folder) / "copy", ignore=lambda *_: {"derived"}))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    pool = Service(law="pool", slots=4)
    cells = [Cell("celery", [(rate, 1, 20)], service=pool, workers=1) for rate in (30, 250)]
    cells += [Cell("inline", [(20, 0.5, 20), (90, 0.5, 20)], service=pool, scenario="burst")]
    campaign, _ = build(tmp_path_factory.mktemp("runs") / "whole", cells)
    return Whole(campaign.folder, tables(campaign.folder))


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    found = derive(folder)
    return {"summary": found.summary, "predictions": found.predictions}


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def check(whole: Whole, folder: Path, gone: str = "") -> bool:
    """Read the campaign; returns whether it was refused. Without the trial `gone` all else must be there."""
    try:
        found = tables(folder)
    except BlockpointError as error:
        assert "\n" not in str(error)  # noqa: PT017
        assert len(str(error)) < 1000  # noqa: PT017
        return True
    for name, table in found.items():
        expected = whole.tables[name]
        expected = expected[expected["trial_id"] != gone].reset_index(drop=True)
        pd.testing.assert_frame_equal(table, expected, check_dtype=False)
    return False


@settings(FUZZ, max_examples=80)
@given(data=st.data())
def test_changed_bytes(whole: Whole, data: st.DataObject) -> None:
    with whole.copy() as folder:
        path = data.draw(st.sampled_from(files(folder)).map(lambda p: p.relative_to(folder)))
        found = (folder / path).read_bytes()
        at = data.draw(st.integers(0, len(found) - 1))
        drop = data.draw(st.sampled_from([0, 1, 1, 7, len(found)]))
        put = data.draw(st.binary(max_size=4) | st.sampled_from([b"0", b"9", b"-", b"e9", b'"', b"\0" * 64]))
        (folder / path).write_bytes(found[:at] + put + found[at + drop :])
        refused = check(whole, folder)
        if path.suffix == ".parquet":
            assert refused == ((folder / path).read_bytes() != found)


Harm = Callable[[Path, Path, st.DataObject], str]
"""Does something to a trial's folder of a campaign's copy; returns the trial that is gone, if one is"""


def rename(_: Path, trial: Path, data: st.DataObject) -> str:
    trial.rename(trial.with_name(data.draw(st.sampled_from(["other", trial.name + ".2", "ü", "0 0", "-rf"]))))
    return ""


def hide(_: Path, trial: Path, __: st.DataObject) -> str:
    trial.rename(trial.with_name(f".partial-{trial.name}"))
    return trial.name


def remove(_: Path, trial: Path, __: st.DataObject) -> str:
    shutil.rmtree(trial)
    return trial.name


def remove_a_file(folder: Path, _: Path, data: st.DataObject) -> str:
    data.draw(st.sampled_from(files(folder))).unlink()
    return ""


def swap(folder: Path, _: Path, data: st.DataObject) -> str:
    one, other = (data.draw(st.sampled_from(files(folder))) for _ in range(2))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    return ""


def swap_trials(folder: Path, trial: Path, data: st.DataObject) -> str:
    other = data.draw(st.sampled_from(sorted((folder / "trials").iterdir())))
    kept = folder / "kept"
    other.rename(kept)
    if trial.exists():
        trial.rename(other)
        kept.rename(trial)
    else:
        kept.rename(other)
    return ""


def copy(folder: Path, trial: Path, data: st.DataObject) -> str:
    name = data.draw(st.sampled_from(["copy", f"{trial.name}.2", f"{trial.name} (1)"]))
    shutil.copytree(trial, folder / "trials" / name)
    return ""


def add(folder: Path, trial: Path, data: st.DataObject) -> str:
    place = data.draw(st.sampled_from([folder, folder / "trials", trial]))
    name = data.draw(st.sampled_from([".DS_Store", "notes.txt", "requests.parquet.bak", "ünï", "Thumbs.db"]))
    (place / name).write_bytes(data.draw(st.binary(max_size=9)))
    return ""


def add_a_folder(folder: Path, trial: Path, data: st.DataObject) -> str:
    data.draw(st.sampled_from([folder / "new", folder / "trials" / "new", trial / "new"])).mkdir()
    return ""


def link(folder: Path, trial: Path, data: st.DataObject) -> str:
    path = data.draw(st.sampled_from([*files(folder), trial, folder / "trials"]))
    aside = folder.with_name("aside")
    path.rename(aside)
    to = data.draw(st.sampled_from([aside, path, Path("nowhere"), folder, Path("/dev/null")]))
    path.symlink_to(to)
    return trial.name if path == trial and not path.is_dir() else ""


def folder_for_file(folder: Path, _: Path, data: st.DataObject) -> str:
    path = data.draw(st.sampled_from(files(folder)))
    path.unlink()
    path.mkdir()
    return ""


HARMS: list[Harm] = [rename, hide, remove, remove_a_file, swap, swap_trials, copy, add, add_a_folder, link]
HARMS += [folder_for_file]


@settings(FUZZ, max_examples=60)
@given(data=st.data())
def test_moved_missing_and_extra_files(whole: Whole, data: st.DataObject) -> None:
    with whole.copy() as folder:
        trial = data.draw(st.sampled_from(sorted((folder / "trials").iterdir())))
        gone = data.draw(st.sampled_from(HARMS))(folder, trial, data)
        check(whole, folder, gone)


def replaced(document: Any, data: st.DataObject) -> Any:
    """Return a JSON document with one value, however deep, replaced by an odd one, or dropped."""
    at = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        inner = at[key]
        if not (isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 9))):
            break
        at = inner
    if data.draw(st.integers(0, 9)):
        at[key] = data.draw(ODD)
    else:
        del at[key]
    return document


def rewrite(folder: Path, data: st.DataObject, *, marked: bool) -> None:
    path = data.draw(st.sampled_from(files(folder, "*.json")))
    document = json.loads(path.read_bytes())
    mark = document.pop("crc32")
    document = replaced(document, data)
    path.write_text(json.dumps({"crc32": mark, **document} if marked else document))


@settings(FUZZ, max_examples=80)
@given(data=st.data())
def test_replaced_values_are_refused(whole: Whole, data: st.DataObject) -> None:
    with whole.copy() as folder:
        rewrite(folder, data, marked=True)
        check(whole, folder)


@settings(FUZZ, max_examples=100)
@given(data=st.data())
def test_odd_values_in_documents_without_a_checksum_are_derived_or_refused(
    whole: Whole, data: st.DataObject
) -> None:
    """An older version may have written them."""
    with whole.copy() as folder:
        rewrite(folder, data, marked=False)
        with accepted_or_in_one_line():
            derive(folder)


@settings(FUZZ, max_examples=100)
@given(data=st.data())
def test_the_same_of_drills(drilled: Path, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(shutil.copytree(drilled, Path(parent) / "copy"))
        rewrite(folder, data, marked=False)
        with accepted_or_in_one_line():
            found = derive_drills(folder)
            assert render_drills(found, [])
            assert list(catalogue(found))


@contextlib.contextmanager
def accepted_or_in_one_line() -> Iterator[None]:
    try:
        yield
    except BlockpointError as error:
        assert "\n" not in str(error)  # noqa: PT017


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cells = [
        DrillCell("kill-web", "background_tasks", then="loses", down=True, broker=False),
        DrillCell("kill-worker", "celery", then="hides"),
        DrillCell("poison-raise", "arq", poison="raise"),
    ]
    folder = build_drills(tmp_path_factory.mktemp("runs") / "drilled", cells).folder
    view = View(
        question="how many wait", interface="LLEN", answer="4", truth="12", verdict="wrong", took_ms=1.5
    )
    keep(folder, Interview(subject="celery/default", views=[view]))
    return folder


@settings(FUZZ, max_examples=15)
@given(data=st.data())
def test_the_commands_refuse_a_damaged_campaign_in_one_line(whole: Whole, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch, whole.copy() as folder:
        path = data.draw(st.sampled_from(files(folder)))
        os.truncate(path, data.draw(st.integers(0, path.stat().st_size - 2)))
        arguments = data.draw(st.sampled_from([["report"], ["run", "--no-report", "--resume"]]))
        patch.setattr(sys, "argv", ["blockpoint", *arguments, str(folder)])
        said: list[str] = []
        patch.setattr("click.echo", lambda line="", **_: said.append(str(line)))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        assert said[-1].startswith("error: ")
        assert "\n" not in said[-1]
        assert open_campaign(whole.folder).trials()
