from pathlib import Path

import numpy as np

from harness.target.ledgers import LedgerReader, read_probes
from results.columns import LEDGER_RECORD, PROBE_RECORD
from results.terms import Moment
from targets.ledger import Ledger


def slots(*moments: int) -> bytes:
    """Return ledger slots of one task; a moment of 0 is a slot that is not written yet."""
    array = np.zeros(len(moments), LEDGER_RECORD)
    array["task_id"], array["moment"], array["attempt"] = 5, moments, 1
    return array.tobytes()


def test_only_what_comes_after_the_reader_is_seen(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.record(1, Moment.ACCEPTED)
    reader = LedgerReader(tmp_path, 1)
    assert (reader.outstanding(), len(reader.events())) == (0, 0)
    ledger.record(2, Moment.ACCEPTED)
    assert (reader.outstanding(), reader.finished_ids()) == (1, set())
    ledger.record(2, Moment.FINISHED, 1)
    assert (reader.outstanding(), reader.finished_ids()) == (0, {2})
    assert reader.events()["task_id"].tolist() == [2, 2]


def test_a_failure_is_final_at_the_last_attempt(tmp_path: Path) -> None:
    ledger, reader = Ledger(tmp_path), LedgerReader(tmp_path, 2)
    ledger.record(1, Moment.ACCEPTED)
    ledger.record(1, Moment.FAILED, 1)
    assert reader.outstanding() == 1
    ledger.record(1, Moment.FAILED, 2)
    assert reader.outstanding() == 0


def test_a_record_written_after_its_successor_is_counted_once_it_is_there(tmp_path: Path) -> None:
    """One thread may have taken a slot and not filled it when another has already filled the next."""
    path, reader = tmp_path / "ledger-1-5eed.bin", LedgerReader(tmp_path, 1)
    path.write_bytes(slots(Moment.ACCEPTED, 0, Moment.FINISHED, 0))
    assert reader.outstanding() == 1
    assert reader.events()["moment"].tolist() == [Moment.ACCEPTED, Moment.FINISHED]
    path.write_bytes(slots(Moment.ACCEPTED, Moment.STARTED, Moment.FINISHED, 0))
    assert reader.outstanding() == 0
    assert len(reader.events()) == 3


def test_probes_are_cut_to_the_trial(tmp_path: Path) -> None:
    looks = np.zeros(4, PROBE_RECORD)
    looks["at_ns"][:3] = [10, 20, 30]
    (tmp_path / "probes-1-5eed.bin").write_bytes(looks.tobytes() + b"torn")
    assert read_probes(tmp_path, 15)["at_ns"].tolist() == [20, 30]
    assert len(read_probes(tmp_path / "nowhere", 0)) == 0
