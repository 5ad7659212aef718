"""The command `notebook`, as a user runs it."""

import shutil
from pathlib import Path

import pytest

from results.checkout import ROOT

from .blockpoint import blockpoint, python_with

TRIALS, DRILLS = "pool-of-40", "drills-kill-child"
STAND_IN = """
import sys
if __name__ == "__main__":
    print("opened", sys.argv[1:], "safe path", sys.flags.safe_path)
    sys.exit(7)
"""
"""in the place of Jupyter, which is not installed with us"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name in (TRIALS, DRILLS):
        shutil.copytree(ROOT / "results" / "published" / name, tmp_path / "runs" / f"my-{name}")
    return tmp_path / "runs"


def files(runs: Path, name: str) -> list[str]:
    return sorted(path.name for path in (runs / f"my-{name}" / "notebooks").iterdir())


def test_a_campaign_gets_the_notebooks_that_it_can_fill(runs: Path) -> None:
    done = blockpoint("notebook", f"my-{TRIALS}", "--no-open", runs=runs)
    assert done.returncode == 0, done.stderr
    made = files(runs, TRIALS)
    assert [name[:2] for name in made] == ["01", "02", "03"]
    assert done.stdout.splitlines() == [
        f"wrote {runs / f'my-{TRIALS}' / 'notebooks' / name}" for name in made
    ]
    done = blockpoint("notebook", f"my-{DRILLS}", "--no-open", runs=runs)
    assert files(runs, DRILLS) == ["04_what_is_lost.ipynb"]


@pytest.mark.parametrize(
    ("campaign", "name", "said"),
    [
        (TRIALS, "04_what_is_lost", "04_what_is_lost reads drills, of which"),
        (DRILLS, "03_capacity", "03_capacity reads trials at fixed rates, of which"),
        (TRIALS, "../03_capacity", "there is no notebook '../03_capacity'; there are 01_where_it_blocks, "),
    ],
)
def test_one_that_it_cannot_fill_is_one_line(runs: Path, campaign: str, name: str, said: str) -> None:
    done = blockpoint("notebook", f"my-{campaign}", "--name", name, runs=runs)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")
    assert done.stderr.count("\n") == 1
    assert not (runs / f"my-{campaign}" / "notebooks").exists()


def test_without_jupyter_the_last_line_says_how_to_install_it(runs: Path) -> None:
    done = blockpoint("notebook", f"my-{TRIALS}", "--name", "03_capacity", runs=runs)
    assert done.returncode == 1
    wrote, how = done.stdout.splitlines()
    assert wrote == f"wrote {runs / f'my-{TRIALS}' / 'notebooks' / '03_capacity.ipynb'}"
    assert "-m pip install jupyterlab" in how


@pytest.mark.parametrize("module", ["jupyterlab", "notebook"])
def test_jupyter_opens_the_first_and_its_exit_code_is_the_commands(
    runs: Path, tmp_path: Path, module: str
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    (packages / f"{module}.py").write_text(STAND_IN)
    python = python_with(tmp_path / "venv", packages)
    done = blockpoint("notebook", f"my-{DRILLS}", runs=runs, python=python)
    path = runs / f"my-{DRILLS}" / "notebooks" / "04_what_is_lost.ipynb"
    assert done.stdout.splitlines() == [f"wrote {path}", f"opened ['{path}'] safe path True"]
    assert done.returncode == 7


def test_a_changed_copy_is_kept_and_named(runs: Path) -> None:
    blockpoint("notebook", f"my-{DRILLS}", "--no-open", runs=runs)
    path = runs / f"my-{DRILLS}" / "notebooks" / "04_what_is_lost.ipynb"
    path.write_text(changed := path.read_text().replace("# What is lost", "# Mine"))
    done = blockpoint("notebook", f"my-{DRILLS}", "--no-open", runs=runs)
    assert done.stdout == f"kept {path}, which was changed: move it away for a fresh one\n"
    assert path.read_text() == changed
