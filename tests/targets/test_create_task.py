"""What a SIGTERM does to tasks that nobody waits for, and to those that somebody does.

Uvicorn raises the signal again once the lifespan is over, before asyncio would cancel what is left: a task
hears of nothing.
"""

from pathlib import Path

import pytest

from results.terms import Moment
from targets.settings import Settings

from .stopping import ended_by_sigterm

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(("variant", "end"), [("default", Moment.STARTED), ("tuned", Moment.FINISHED)])
def test_only_what_is_kept_is_drained(variant: str, end: Moment, tmp_path: Path) -> None:
    assert ended_by_sigterm(f"create_task/{variant}", tmp_path, Settings(cores=1)) == [end] * 6
