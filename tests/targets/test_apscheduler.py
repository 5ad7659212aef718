"""Jobs that are late: dropped as APScheduler is shipped, run in any case as it is tuned."""

from pathlib import Path

import pytest

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.target import Launch, running_target
from results.terms import Moment
from results.waiting import wait_until
from targets.settings import Settings
from targets.strategies.threadpool import default_threads

from .stopping import LIMIT_S, ended_by_sigterm, submit

pytestmark = pytest.mark.e2e

SETTINGS = Settings(slots=2, cores=1)
EXTRA = 4
LATE_MS = 1600
"""a job that waits for another of this length is more than a second late"""
MISSED = "was missed by"


@pytest.mark.parametrize("variant", ["default", "tuned"])
def test_what_waits_for_more_than_a_second_runs_only_where_it_is_told_to(
    variant: str, tmp_path: Path
) -> None:
    with family() as members:
        launch = Launch(members, Pinning(), SETTINGS)
        with running_target(launch, "apscheduler", variant, tmp_path) as target:
            reader, log = target.reader(), target.web[0].log
            dropped = EXTRA if variant == "default" else 0
            ids = submit(target, EXTRA + (default_threads(SETTINGS) if dropped else SETTINGS.slots), LATE_MS)
            assert wait_until(lambda: log.read_text().count(MISSED) >= dropped, LIMIT_S)
            assert wait_until(lambda: reader.outstanding() <= dropped, LIMIT_S)
            ends = [max(moment for moment, n in reader.moments(each).items() if n) for each in ids]
            assert log.read_text().count(MISSED) == dropped
    assert ends == [Moment.FINISHED] * (len(ids) - dropped) + [Moment.ACCEPTED] * dropped


def test_only_tuned_is_drained(tmp_path: Path) -> None:
    assert ended_by_sigterm("apscheduler/tuned", tmp_path, SETTINGS, 200) == [Moment.FINISHED] * 6


def test_as_shipped_what_runs_is_lost_on_sigterm(tmp_path: Path) -> None:
    assert Moment.FINISHED not in ended_by_sigterm("apscheduler/default", tmp_path, SETTINGS)
