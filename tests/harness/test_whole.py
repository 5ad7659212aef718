"""A trial that confirms is walked to its end, however far its work falls behind."""

from pathlib import Path

import msgspec
import pytest

from harness.search.confirm import Step
from harness.search.trials import planned
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.target import Launch, running_target
from harness.trial.measurement import Limits, Measurement
from results.schema import Plan, Point
from targets.settings import Settings

SUBJECT = "threadpool/tuned"
HOPELESS = Plan(
    trial_id="0001",
    subject=SUBJECT,
    kind="sleep",
    duration_ms=100,
    scenario="steady",
    rate_per_s=160,
    seconds=4,
    seed=1,
    bystander_per_s=200,
)
"""four times what four threads can do"""


@pytest.mark.e2e
@pytest.mark.parametrize("whole", [False, True])
def test_only_what_is_there_for_its_length_is_not_ended_early(
    whole: bool, members: Family, tmp_path: Path
) -> None:
    launch = Launch(members, Pinning(), Settings(slots=4, cores=1))
    limits = Limits(drain_s=0.5, foreign_cores=1024, quiet_wait_s=0, question_ms=100)
    plan = msgspec.structs.replace(HOPELESS, whole=whole)
    (tmp_path / "logs").mkdir()
    with running_target(launch, *SUBJECT.split("/"), tmp_path) as target:
        trial = Measurement(launch, target, plan, limits).measure(tmp_path, 1)
    step = trial.load.steps[-1]
    assert bool(trial.stopped_early) is not whole
    assert (step.to_ns - step.from_ns < plan.seconds * 1e9) is not whole
    assert trial.accounts.unaccounted == 0


def test_what_confirms_a_blocking_point_is_whole_and_nothing_else() -> None:
    point = Point(
        subject=SUBJECT,
        kind="sleep",
        duration_ms=100,
        lowest_per_s=1,
        highest_per_s=1000,
        seconds=5,
        max_seconds=60,
        bystander_per_s=20,
    )
    steps = (Step(300, seconds=60), Step(300), Step(300, longer=4.0), Step(300, stairs=(100, 300)))
    assert [planned(point, step, seed=1).whole for step in steps] == [True, False, False, False]
