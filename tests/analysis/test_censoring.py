import numpy as np
import pyarrow as pa

from analysis.trials.censoring import bounds_ms, by_stream
from results.terms import NEVER, Outcome, Stream

MS = 1_000_000
DRAINED_MS = 2_000
Row = tuple[int, int, Outcome, str]


def table(*rows: Row, stream: Stream = Stream.TASKS) -> pa.Table:
    """Return requests of (due in ms, latency in ms, outcome, error), each sent when it was due."""
    due, latency, outcome, error = (list(column) for column in zip(*rows, strict=True))
    shed = np.array(outcome) == Outcome.SHED
    answered = np.array(outcome) == Outcome.ACCEPTED
    due_ns = np.array(due, np.int64) * MS
    return pa.table(
        {
            "due_ns": due_ns,
            "sent_ns": np.where(shed, NEVER, due_ns),
            "replied_ns": np.where(answered, due_ns + np.array(latency) * MS, NEVER),
            "outcome": np.array(outcome, np.int8),
            "error": error,
            "stream": np.full(len(rows), int(stream), np.int8),
        }
    )


def stuck(at_ms: int) -> Row:
    return at_ms, 0, Outcome.UNKNOWN, "drain limit"


def shed(at_ms: int) -> Row:
    return at_ms, 0, Outcome.SHED, "shed"


def answered(at_ms: int, latency_ms: int = 1) -> Row:
    return at_ms, latency_ms, Outcome.ACCEPTED, ""


def test_without_an_answer_a_request_had_waited_until_the_client_gave_up() -> None:
    assert bounds_ms(table(stuck(500), stuck(1_900)), DRAINED_MS * MS).tolist() == [1_500, 100]


def test_what_was_shed_had_waited_as_long_as_what_was_in_flight() -> None:
    rows = [stuck(at) for at in range(0, 500, 10)]
    assert bounds_ms(table(*rows, shed(500)), DRAINED_MS * MS)[-1] == 500
    gone = [answered(at) for at in range(0, 400, 10)]
    assert bounds_ms(table(*gone, *rows[40:], shed(500)), DRAINED_MS * MS)[-1] == 100


def test_behind_quick_answers_what_was_shed_is_not_known_to_have_waited() -> None:
    assert bounds_ms(table(*map(answered, range(0, 500, 10)), shed(500)), DRAINED_MS * MS)[-1] == 0
    assert bounds_ms(table(shed(500)), DRAINED_MS * MS)[-1] == 0


def test_a_connection_that_broke_is_not_waited_for() -> None:
    broken = [(at, 0, Outcome.UNKNOWN, "closed before reply") for at in range(0, 500, 10)]
    assert bounds_ms(table(*broken, shed(500)), DRAINED_MS * MS)[-1] == 0


def test_each_stream_counts_with_its_own_waits() -> None:
    quick = table(*map(answered, range(0, 500, 10)), shed(500), stream=Stream.PING)
    slow = table(*map(stuck, range(0, 500, 10)), shed(500), stream=Stream.PING_SYNC)
    found = by_stream(pa.concat_tables([quick, slow]), DRAINED_MS * MS)
    assert (found[50], found[101]) == (0, 500)
