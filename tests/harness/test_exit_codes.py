"""What the exit code of `find` says, and what `make bench` makes of it."""

import subprocess
from pathlib import Path

import msgspec
import pytest

from harness.cli.find import EXIT_CODES
from harness.search.profiles import SEARCHES
from harness.terminal import exits
from results.store import open_campaign
from tests.analysis.synthetic import amend

from .asked import concluded, finding, searched

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "json.md"


@pytest.mark.parametrize(
    ("rates_per_s", "code"),
    [((20, 60), exits.DONE), ((20, 240), exits.UNANSWERED), ((20,), exits.UNANSWERED)],
    ids=["held at the highest rate", "too wide", "not found above"],
)
def test_a_search_succeeds_only_where_every_point_was_answered(
    rates_per_s: tuple[float, ...], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert concluded(finding(as_json=False), searched(tmp_path / "x", *rates_per_s)) == code
    assert ("go on with: blockpoint find --resume x" in capsys.readouterr().out) == bool(code)


def test_a_search_that_made_all_its_trials_needs_more_of_them_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    allowed = SEARCHES["smoke"].max_trials
    for made, told in ((allowed - 1, "--resume x\n"), (allowed, f"--resume x --max-trials {2 * allowed}\n")):
        campaign = searched(tmp_path / str(made) / "x", 20, *range(240, 240 + made - 1))
        amend(campaign, profile="smoke")
        concluded(finding(as_json=False), open_campaign(campaign.folder))
        assert f"go on with: blockpoint find {told}" in capsys.readouterr().out


def test_a_point_without_a_trial_is_not_answered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (point,) = searched(tmp_path / "measured", 20, 60).manifest.points
    turnless = msgspec.structs.replace(point, duration_ms=500.0)
    campaign = searched(tmp_path / "x", 20, 60, points=[turnless])
    assert concluded(finding(as_json=False), campaign) == exits.UNANSWERED
    out = capsys.readouterr().out
    assert "celery/default 500 ms: not measured: no trial was made" in out
    assert "2 of 4 answers are unfinished or missing" in out


def test_every_code_is_documented() -> None:
    page = DOCS.read_text(encoding="utf-8")
    codes = {value for name, value in vars(exits).items() if name.isupper()}
    assert all(f"| {code} |" in page for code in codes)
    find_s = {exits.DONE, exits.UNANSWERED, exits.ERROR, exits.INTERRUPTED}
    assert all(f" {code} " in EXIT_CODES for code in find_s)


@pytest.mark.parametrize(("code", "fails"), [(0, False), (3, False), (1, True), (2, True), (130, True)])
def test_a_bench_fails_only_where_there_is_no_report(code: int, fails: bool, tmp_path: Path) -> None:
    command = tmp_path / "blockpoint"
    command.write_text(f"#!/bin/sh\nexit {code}\n")
    command.chmod(0o755)
    make = ["make", "--no-print-directory", "--old-file=setup", "bench", f"BIN={tmp_path}"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == fails
    assert ("Error" in done.stderr) == fails
