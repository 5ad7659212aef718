import signal
from pathlib import Path

import pytest

from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.target import Launch, running_target
from results.errors import BlockpointError
from targets.settings import Settings

SETTINGS = Settings(slots=4, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)

pytestmark = pytest.mark.e2e


def test_what_still_runs_after_the_grace_is_killed_and_said(
    members: Family, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    launch = Launch(members, Pinning(), SETTINGS, grace_s=0.5)
    with running_target(launch, "inline", "default", tmp_path) as target:
        (web,) = target.web
        web.signal_group(signal.SIGSTOP)
    assert not web.running
    said = capsys.readouterr().err
    assert "the web process of inline/default still ran 0.5 s after SIGTERM and was killed" in said


def test_why_a_task_was_not_accepted_is_said(members: Family, tmp_path: Path) -> None:
    with running_target(Launch(members, Pinning(), SETTINGS), "arq", "default", tmp_path) as target:
        assert target.broker is not None
        assert target.broker.child is not None
        target.broker.child.kill()
        with pytest.raises(BlockpointError) as refusal:
            target.submit("sleep")
    said = str(refusal.value)
    assert "a task was not accepted: HTTP Error 500" in said
    assert "redis.exceptions.ConnectionError" in said
