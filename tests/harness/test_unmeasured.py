from pathlib import Path

import pytest

from harness.terminal.exits import UNANSWERED
from results.store import open_campaign

from .blockpoint import blockpoint, python_with_strategy

pytestmark = pytest.mark.e2e

WHY = "the worker process of broken/default exited at once with code 1"
QUIET = ["--max-foreign-cores", "1024", "--quiet-wait", "0"]
BOTH = ["--strategy", "broken", "--strategy", "inline", "--duration", "10ms", "--seconds", "1", *QUIET]


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """Give an interpreter that has a strategy whose worker dies at its start."""
    strategy = (
        "from targets.strategies.inline import Inline\n"
        "from targets.strategy import Definition, Variant\n"
        "class Broken(Inline):\n"
        "    workers = [['broken_worker']]\n"
        "definition = Definition('broken', 'dies', {'default': Variant('dies', Broken)})\n"
    )
    worker = "raise SystemExit('the licence has expired')\n"
    return python_with_strategy(
        tmp_path / "installed", "broken", "broken:definition", broken=strategy, broken_worker=worker
    )


def test_a_subject_that_never_starts_keeps_its_row_in_a_search(tmp_path: Path, broken: str) -> None:
    asked = ["find", "--profile", "smoke", "--slo-ms", "1000", "--max-trials", "1", "--name", "x", *BOTH]
    done = blockpoint(*asked, runs=tmp_path / "runs", python=broken)
    assert done.returncode == UNANSWERED, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    row, remark = (line for line in done.stdout.splitlines() if line.startswith("broken/default"))
    assert row.split() == ["broken/default", "not", "measured"]
    assert remark.startswith(f"broken/default: not measured: {WHY}")
    measured = {trial.plan.subject for trial in open_campaign(tmp_path / "runs" / "x").trials()}
    assert measured == {"inline/default"}
    page = (tmp_path / "runs" / "x" / "report" / "index.html").read_text()
    assert page.count(WHY) >= 2


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (["run", "--profile", "smoke", "--rate", "20", "--no-report", *BOTH], 1),
        (["check", "--strategy", "broken", "--pairs", "1", "--rate", "20", "--seconds", "1", *QUIET], 2),
    ],
)
def test_other_commands_name_it_too(asked: list[str], code: int, tmp_path: Path, broken: str) -> None:
    done = blockpoint(*asked, "--name", "x", runs=tmp_path / "runs", python=broken)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert f": {WHY}\n" in done.stdout
    assert all(line.count(WHY) == 1 for line in done.stdout.splitlines() if line.startswith("not measured: "))


def test_where_no_subject_starts_the_row_and_the_error_are_there(tmp_path: Path, broken: str) -> None:
    asked = [
        "find",
        "--profile",
        "smoke",
        "--strategy",
        "broken",
        "--duration",
        "10ms",
        "--name",
        "x",
        *QUIET,
    ]
    done = blockpoint(*asked, runs=tmp_path / "runs", python=broken)
    assert done.returncode == UNANSWERED
    assert "not measured" in done.stdout
    assert "2 of 2 answers are unfinished or missing" in done.stdout
