"""What docs/own-queue.md says of a queue, of one's own and of this repository's."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from uv import find_uv_bin

from targets.registry import STRATEGIES

from .plugin import blocks, fresh_python, measured, pip_install

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "own-queue.md"
FEWER_THAN = 120


@pytest.mark.parametrize("name", sorted(path.parent.name for path in STRATEGIES.glob("*/requirements.in")))
def test_a_queue_of_this_repository_keeps_to_what_the_page_says(name: str) -> None:
    assert f"fewer than {FEWER_THAN} lines" in PAGE.read_text()
    folder = STRATEGIES / name
    assert len((folder / "strategy.py").read_text().splitlines()) < FEWER_THAN
    assert "--hash=sha256:" in (folder / "requirements.txt").read_text()


@pytest.mark.e2e
def test_the_page_works_when_it_is_followed(tmp_path: Path) -> None:
    python, packages = fresh_python(tmp_path)
    project = tmp_path / "project"
    postbox = project / "postbox"
    postbox.mkdir(parents=True)
    names, code = blocks(PAGE, "python")
    assert len(code.splitlines()) < FEWER_THAN
    (postbox / "__init__.py").write_text(names)
    (postbox / "strategy.py").write_text(code)
    (postbox / "requirements.in").write_text(*blocks(PAGE, "text"))
    (project / "pyproject.toml").write_text(*blocks(PAGE, "toml"))
    (project / "targets").mkdir()
    for requirements in ("requirements.in", "requirements.txt"):
        shutil.copy(ROOT / "targets" / requirements, project / "targets")
    (lock,) = re.findall(r"^    \.venv/bin/uv (.*)$", PAGE.read_text(), re.MULTILINE)
    subprocess.run([find_uv_bin(), "--quiet", *shlex.split(lock)], cwd=project, check=True)
    pip_install(project, packages)

    campaign, said = measured(python, tmp_path, "postbox", "--rate", "10", "--duration", "20ms")
    (trial,) = campaign.trials()
    assert trial.ceiling_per_s == pytest.approx(1 / 0.02)
    assert trial.accounts.finished == trial.accounts.accepted > 0, said
    assert trial.accounts.unaccounted == trial.accounts.started_twice == 0
    assert "redis" in campaign.manifest.subjects[0].versions
    assert "making the environment of postbox, once" in said
