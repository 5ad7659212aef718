import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from blockpoint.observe import CHUNK_BYTES, LEAST_BYTES
from results.columns import LEDGER_RECORD
from results.ledger_file import read_ledger
from results.terms import Moment
from targets.ledger import Ledger


def _files(folder: Path) -> list[np.ndarray]:
    return [read_ledger(path) for path in sorted(folder.glob("ledger-*.bin"))]


def test_records_are_as_the_schema_says(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(2**64 - 1, Moment.STARTED, 3)
    ledger.record(7, Moment.FINISHED, 3)
    (events,) = _files(tmp_path)
    assert events.dtype == LEDGER_RECORD
    assert events["task_id"].tolist() == [2**64 - 1, 7]
    assert events["moment"].tolist() == [Moment.STARTED, Moment.FINISHED]
    assert events["attempt"].tolist() == [3, 3]
    assert set(events["pid"].tolist()) == {os.getpid()}
    assert np.all(np.diff(events["at_ns"]) >= 0)


def test_nobody_else_may_read_what_it_writes(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        Ledger(tmp_path).record(1, Moment.STARTED)
    finally:
        os.umask(before)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def _record_in_child(ledger: Ledger) -> None:
    ledger.record(2, Moment.STARTED, 1)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_writes_a_file_of_its_own(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(1, Moment.RECEIVED)
    child = get_context("fork").Process(target=_record_in_child, args=(ledger,))
    child.start()
    child.join()
    ledger.record(3, Moment.RECEIVED)
    by_pid = {int(events["pid"][0]): events["task_id"].tolist() for events in _files(tmp_path)}
    assert by_pid == {os.getpid(): [1, 3], child.pid: [2]}


@pytest.mark.parametrize(
    ("moments", "state"),
    [
        ([], None),
        ([(Moment.RECEIVED, 0)], "accepted"),
        ([(Moment.RECEIVED, 0), (Moment.ACCEPTED, 0), (Moment.STARTED, 1)], "started"),
        ([(Moment.STARTED, 1), (Moment.FINISHED, 1), (Moment.ACCEPTED, 0)], "finished"),
        ([(Moment.STARTED, 1), (Moment.FAILED, 1)], "failed"),
        ([(Moment.STARTED, 1), (Moment.FAILED, 1), (Moment.STARTED, 2)], "started"),
        ([(Moment.STARTED, 1), (Moment.FAILED, 1), (Moment.STARTED, 2), (Moment.FINISHED, 2)], "finished"),
    ],
)
def test_state_of_a_task(tmp_path: Path, moments: list[tuple[Moment, int]], state: str | None) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(8, Moment.FAILED, 1)
    for moment, attempt in moments:
        ledger.record(9, moment, attempt)
    assert ledger.state(9) == state


def test_without_a_folder_nothing_is_recorded() -> None:
    ledger = Ledger(None)
    ledger.record(1, Moment.STARTED)
    assert ledger.state(1) is None


def test_a_full_disk_ends_the_recording_but_not_the_process(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from targets.ledger import Ledger\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for task_id in range(3): ledger.record(task_id, 3, 1)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stderr.count("No space left") == 1


def test_two_processes_of_the_same_number_write_two_files(tmp_path: Path) -> None:
    first, second = Ledger(tmp_path), Ledger(tmp_path)
    first.record(1, Moment.STARTED)
    second.record(2, Moment.STARTED)
    assert sorted(events["task_id"].tolist() for events in _files(tmp_path)) == [[1], [2]]


def test_a_process_that_runs_one_task_leaves_a_small_file(tmp_path: Path) -> None:
    Ledger(tmp_path).record(1, Moment.STARTED, 1)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_size == LEAST_BYTES


def test_records_of_many_threads_are_all_there_across_chunks(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    each = 15_000

    def write(thread: int) -> None:
        for number in range(each):
            ledger.record(thread * each + number, Moment.STARTED, 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    (events,) = _files(tmp_path)
    assert len(events) * LEDGER_RECORD.itemsize > CHUNK_BYTES
    assert sorted(events["task_id"].tolist()) == list(range(4 * each))


def test_a_killed_process_loses_no_record(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from targets.ledger import Ledger\n"
        "ledger = Ledger(Path(sys.argv[1]))\n"
        "for task_id in range(1000): ledger.record(task_id, 3, 1)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (events,) = _files(tmp_path)
    assert events["task_id"].tolist() == list(range(1000))
