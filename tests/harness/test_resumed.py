from typing import Any

import pytest
from click.testing import CliRunner

from harness.cli import blockpoint
from harness.commands import find, run


@pytest.mark.parametrize(
    ("arguments", "unheeded"),
    [
        (["find", "--resume", "x", "--precision", "1.05", "--max-trials", "3"], "--precision"),
        (["find", "--resume", "x", "--strategy", "celery", "--seconds", "9"], "--strategy, --seconds"),
        (["find", "--resume", "x", "--budget", "60", "--attempts", "5", "--no-report"], ""),
        (["find", "--precision", "1.05"], ""),
        (["run", "--resume", "x", "--seed", "4", "--rate", "9", "--slots", "2"], "--rate, --seed"),
        (["run", "--resume", "x", "--quiet-wait", "0", "--max-foreign-cores", "2"], ""),
    ],
)
def test_what_a_resumed_campaign_does_not_heed_is_said(
    arguments: list[str], unheeded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[Any] = []
    for module, name in ((find, "Find"), (run, "Run")):
        monkeypatch.setattr(getattr(module, name), "execute", lambda command: done.append(command) or 0)
    said = CliRunner().invoke(blockpoint, arguments)
    assert (said.exit_code, len(done)) == (0, 1)
    assert said.stderr == (f"note: {unheeded} has no effect: x goes on as it was begun\n" if unheeded else "")
