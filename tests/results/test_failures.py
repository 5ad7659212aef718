import shutil
from pathlib import Path

import pytest

from results.errors import BlockpointError
from results.failures import keep_failure, read_failures
from results.schema import Plan


def plan(trial_id: str = "0001-celery", subject: str = "celery/default") -> Plan:
    return Plan(
        trial_id=trial_id,
        subject=subject,
        kind="sleep",
        duration_ms=50,
        scenario="steady",
        rate_per_s=10,
        seconds=5,
        seed=1,
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "the worker exited at once with code 1; it said last:\nTraceback\nError",
            "the worker exited at once with code 1",
        ),
        ("no answer of redis://me:secret@host/0", "no answer of redis://***@host/0"),
        ("red \x1b[31m text", "red \\x1b[31m text"),
        ("", "BlockpointError"),
        ("x" * 1_000, "x" * 300),
    ],
)
def test_why_a_trial_failed_is_kept_in_one_line_fit_to_be_shown(said: str, kept: str, tmp_path: Path) -> None:
    keep_failure(tmp_path, plan(), BlockpointError("an earlier try"))
    keep_failure(tmp_path, plan(), BlockpointError(said))
    (failure,) = read_failures(tmp_path)
    assert (failure.plan, failure.why) == (plan(), kept)


def test_a_campaign_without_failures_has_none(tmp_path: Path) -> None:
    assert read_failures(tmp_path) == []


def test_a_failure_that_is_damaged_moved_or_cannot_be_kept_is_one_clear_line(tmp_path: Path) -> None:
    keep_failure(tmp_path, plan(), BlockpointError("why"))
    path = tmp_path / "failures" / "0001-celery.json"
    moved = path.with_name("0002-celery.json")
    path.rename(moved)
    with pytest.raises(BlockpointError, match="no checksum stands beside"):
        read_failures(tmp_path)
    moved.write_text("{")
    with pytest.raises(BlockpointError, match="not a Blockpoint document"):
        read_failures(tmp_path)
    moved.unlink()
    shutil.rmtree(path.parent)
    path.parent.write_text("a file")
    with pytest.raises(BlockpointError, match="cannot be made"):
        keep_failure(tmp_path, plan(), BlockpointError("why"))
