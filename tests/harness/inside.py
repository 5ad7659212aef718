"""The command line in the test's own process: quick, for what starts no target."""

import sys
from typing import NamedTuple

import pytest

from harness.cli.main import main


class Said(NamedTuple):
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Said:
    """Run the command to its end."""
    monkeypatch.setattr(sys, "argv", ["blockpoint", *arguments])
    capsys.readouterr()
    try:
        main()
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return Said(code, *capsys.readouterr())
