import shutil
from pathlib import Path

import pytest

from results.checkout import ROOT, checkout
from results.store import runs_folder


def test_these_tests_run_in_a_checkout() -> None:
    assert checkout() == ROOT
    assert (ROOT / "tests").is_dir()


@pytest.mark.parametrize("declared", [None, "", "[project]\nname = 'another'\n", "not toml", "\udcff"])
def test_packages_among_others_are_no_checkout(declared: str | None, tmp_path: Path) -> None:
    if declared is not None:
        (tmp_path / "pyproject.toml").write_bytes(declared.encode(errors="surrogateescape"))
    assert checkout(tmp_path) is None


def test_a_copy_is_a_checkout_of_its_own(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    assert checkout(tmp_path) == tmp_path


def test_without_one_results_go_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLOCKPOINT_RUNS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert runs_folder() == ROOT / "results" / "runs"
    monkeypatch.setattr("results.store.checkout", lambda: None)
    assert runs_folder() == tmp_path / "results" / "runs"
    (tmp_path / "results").mkdir()
    assert runs_folder() == tmp_path / "results" / "runs"
    (tmp_path / "results" / "__init__.py").touch()
    assert runs_folder() == tmp_path / "blockpoint-runs"


def test_a_relative_folder_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPOINT_RUNS", "mine")
    monkeypatch.chdir(tmp_path)
    assert runs_folder() == tmp_path / "mine"
