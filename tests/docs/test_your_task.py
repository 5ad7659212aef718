"""What docs/your-task.md shows of a task of one's own, done as it says, for a shorter time."""

import re
import shlex
from pathlib import Path

import pytest

from results.store import open_campaign
from results.terms import KINDS
from tests.harness.blockpoint import QUIET, blockpoint

from . import pages

SHORT = ["--max-trials", "1", "--budget", "30", "--seconds", "1", "--slo-ms", "1000", *QUIET]


def shown(task: str) -> list[str]:
    """Return the arguments of the page's command that measures a task, with the paths of this checkout."""
    (command,) = re.findall(rf"^    \.venv/bin/blockpoint (find --task {task} .*)$", PAGE, re.MULTILINE)
    return [str(ROOT / word) if word.startswith("examples/") else word for word in shlex.split(command)]


PAGE, ROOT = pages.text("your-task.md"), Path(__file__).parents[2]


@pytest.mark.e2e
def test_a_thumbnail_is_measured_in_threads_and_in_a_queue(tmp_path: Path) -> None:
    done = blockpoint(*shown("pictures:thumbnail"), "--name", "thumbnail", *SHORT, runs=tmp_path)
    campaign = open_campaign(tmp_path / "thumbnail")
    manifest = campaign.manifest
    told, held = manifest.environment["your task"], manifest.environment["your task holds"]
    alone = manifest.environment["your task alone"]
    assert (told["task"], told["defined"]) == ("pictures:thumbnail", "pictures:thumbnail")
    assert told["returned_bytes"] > 1000
    assert alone["calls"] >= 20
    assert alone["failures"] == 0
    assert 0 < held["cores"] < 1.5  # less than one where others compute beside it
    trials = {trial.plan.subject: trial for trial in campaign.trials()}
    assert trials.keys() == {"background_tasks/default", "celery/tuned"}, done.stdout + done.stderr
    for point in manifest.points:
        assert (point.kind, KINDS[point.kind].own) == ("own_compute", True)
        assert point.duration_ms == pytest.approx(alone["mean_ms"], rel=0.01)
    for trial in trials.values():
        accounts = trial.accounts
        assert trial.service is not None
        assert trial.service.demand is not None
        assert trial.service.demand.gil == held["gil"]
        assert accounts.finished > 0
        assert accounts.failed == accounts.unaccounted == accounts.strangers == 0
