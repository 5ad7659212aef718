"""Copies of notebooks in a person's own folder: never changed behind the person's back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from analysis.report import notebook_copies, notebook_sources
from analysis.report.notebook_copies import Done, write_copy
from analysis.report.notebook_sources import names

(NAME, *_) = names("trials")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    copy = write_copy(tmp_path, NAME, tmp_path / "notebooks")
    assert copy.done is Done.WRITTEN
    return copy.path


def again(path: Path) -> Done:
    return write_copy(path.parents[1], NAME, path.parent).done


def edited(path: Path, edit: Callable[[Any], object]) -> str:
    notebook = json.loads(path.read_text())
    edit(notebook)
    path.write_text(json.dumps(notebook))
    return path.read_text()


def test_the_first_cell_of_code_names_the_campaign(written: Path) -> None:
    cells = json.loads(written.read_text())["cells"]
    first = next("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert first.startswith(f"CAMPAIGN = {str(written.parents[1])!r}")


def test_one_that_was_only_run_is_left_alone(written: Path) -> None:
    def run(notebook: Any) -> None:
        cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
        output = {"output_type": "stream", "name": "stdout", "text": ["7 trials\n"]}
        cell |= {"execution_count": 1, "outputs": [output]}

    before = edited(written, run)
    assert again(written) is Done.AS_IT_WAS
    assert written.read_text() == before


@pytest.mark.parametrize("kind", ["code", "markdown"])
def test_one_that_was_changed_is_kept(written: Path, kind: str) -> None:
    def change(notebook: Any) -> None:
        cell = next(cell for cell in reversed(notebook["cells"]) if cell["cell_type"] == kind)
        cell["source"] = ["mine"]

    before = edited(written, change)
    assert again(written) is Done.KEPT
    assert written.read_text() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", "no notebook", '{"cells": 1, "nbformat": 4}'])
def test_what_is_no_notebook_of_ours_is_kept(written: Path, text: str) -> None:
    written.write_text(text)
    assert again(written) is Done.KEPT
    assert written.read_text() == text


def test_one_that_nobody_changed_is_brought_up_to_date(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = tmp_path / "sources"
    newer.mkdir()
    source = (notebook_sources.SOURCES / f"{NAME}.py").read_text()
    (newer / f"{NAME}.py").write_text(source + "\n# %%\nprint('new')\n")
    monkeypatch.setattr(notebook_sources, "SOURCES", newer)
    assert again(written) is Done.WRITTEN
    assert "print('new')" in written.read_text()


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "notebooks"
    target.mkdir()
    (target / f"{NAME}.ipynb").symlink_to(tmp_path / "elsewhere")
    assert write_copy(tmp_path, NAME, target).done is notebook_copies.Done.WRITTEN
    assert not (tmp_path / "elsewhere").exists()
