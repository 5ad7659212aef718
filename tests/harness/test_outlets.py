"""What cannot be shown is replaced or dropped, and what is measured is kept; the exit code tells."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.terminal.exits import DONE, FAULT, UNANSWERED
from results.store import open_campaign

from .blockpoint import QUIET, environment

FULL = Path("/dev/full")
UNWRITABLE = "error: standard output cannot be written (No space left on device); what was measured is kept\n"
SMALL = [
    "--strategy",
    "inline",
    "--duration",
    "10ms",
    "--seconds",
    "1",
    "--attempts",
    "1",
    *QUIET,
    "--name",
    "x",
]
PLANNED = ["find", "--dry-run", "--strategy", "inline"]
RUN = ["run", "--profile", "smoke", "--rate", "20", *SMALL]
FIND = ["find", "--profile", "smoke", "--max-trials", "1", "--max-rate", "60", *SMALL]

needs_a_full_device = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


def command(
    runs: Path, *arguments: str, more: dict[str, str] | None = None, **given: Any
) -> "subprocess.CompletedProcess[bytes]":
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **given}
    return subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        env=environment(runs, **(more or {})),
        timeout=170,
        check=False,
        **given,
    )


@pytest.mark.parametrize(
    ("encoding", "arguments"),
    [
        ("ascii:strict", PLANNED),
        ("latin-1", ["list"]),
        ("utf-8", ["report", "\udcff→\u202e\n"]),
        ("ascii", ["report", "\udcff→\u202e\n"]),
    ],
)
def test_what_an_encoding_does_not_know_is_replaced(
    tmp_path: Path, encoding: str, arguments: list[str]
) -> None:
    done = command(tmp_path, *arguments, more={"PYTHONIOENCODING": encoding})
    assert done.returncode == (2 if "report" in arguments else 0)
    assert b"Traceback" not in done.stderr
    assert done.stderr if "report" in arguments else done.stdout


@needs_a_full_device
def test_an_output_without_room_is_said_and_told_by_the_exit_code(tmp_path: Path) -> None:
    with FULL.open("wb") as full:
        for arguments in (["list"], ["--help"], PLANNED):
            done = command(tmp_path, *arguments, stdout=full)
            assert done.returncode == 2
            assert done.stderr.decode() == UNWRITABLE
        assert command(tmp_path, *PLANNED, stderr=full).returncode == 0
        assert command(tmp_path, "report", "nowhere", stderr=full).returncode == 2
        assert command(tmp_path, *PLANNED, stdout=full, stderr=full).returncode == 2


def test_a_reader_that_goes_is_no_error_and_told_by_the_exit_code(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = command(tmp_path, *PLANNED, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_a_closed_stream_is_nobodys_business(tmp_path: Path, closed: tuple[int, ...]) -> None:
    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    done = command(tmp_path, *PLANNED, preexec_fn=close)
    assert done.returncode == 0
    assert done.stderr == b""


def test_a_file_of_ours_never_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from harness.terminal.outlets import outlets\n"
        "with outlets():\n"
        "    opened = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "    sys.exit(opened)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "file")],
        preexec_fn=lambda: os.closerange(0, 3),
        check=False,
    )
    assert done.returncode > 2


def full() -> Any:
    return FULL.open("wb")


def gone() -> Any:
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb")


@needs_a_full_device
@pytest.mark.e2e
@pytest.mark.parametrize(("stdout", "code"), [(full, 2), (gone, 141)], ids=["full", "gone"])
def test_a_campaign_is_measured_to_its_end_whatever_becomes_of_its_output(
    tmp_path: Path, stdout: Callable[[], Any], code: int
) -> None:
    with stdout() as output, FULL.open("wb") as error:
        done = command(tmp_path, *RUN, stdout=output, stderr=error)
    trials = open_campaign(tmp_path / "x").trials()
    assert len(trials) == 1
    assert done.returncode == (code if trials[0].valid else FAULT)


@pytest.mark.e2e
def test_a_search_says_what_it_found_in_any_encoding(tmp_path: Path) -> None:
    done = command(tmp_path, *FIND, more={"PYTHONIOENCODING": "latin-1"})
    assert b"Traceback" not in done.stderr
    assert done.returncode in (DONE, UNANSWERED)
    said = done.stdout.decode("latin-1")
    assert "? blocks" in said
    assert "·" in said
    assert len(open_campaign(tmp_path / "x").trials()) == 1
