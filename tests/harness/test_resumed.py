from typing import Any

import pytest
from click.testing import CliRunner

from harness import find, run
from harness.cli import blockpoint


@pytest.mark.parametrize(
    ("arguments", "unheeded"),
    [
        (["find", "--resume", "x", "--precision", "1.05", "--max-trials", "3"], "--precision"),
        (["find", "--resume", "x", "--strategy", "celery", "--seconds", "9"], "--strategy, --seconds"),
        (["find", "--resume", "x", "--budget", "60", "--attempts", "5", "--no-report"], ""),
        (["find", "--precision", "1.05"], ""),
        (["run", "--resume", "x", "--slots", "4", "--rate", "9"], "--rate, --slots"),
        (["run", "--resume", "x", "--quiet-wait", "0", "--max-foreign-cores", "2"], ""),
    ],
)
def test_what_a_resumed_campaign_does_not_heed_is_said(
    arguments: list[str], unheeded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    for module, name in ((find, "find_command"), (run, "run_command")):
        monkeypatch.setattr(module, name, lambda request: done.append(request) or 0)
    said = CliRunner().invoke(blockpoint, arguments)
    assert (said.exit_code, len(done)) == (0, 1)
    lines = [line for line in said.stderr.splitlines() if line.startswith("--resume: ")]
    assert lines == (
        [f"--resume: the campaign goes on as it was begun; not heeded: {unheeded}"] if unheeded else []
    )
