import pyarrow as pa
import pytest

from harness.trial.accounts import failed_requests
from results.terms import Outcome

DRAINED_MS = 1_000


def requests(*rows: tuple[Outcome, str, int]) -> pa.Table:
    """Return rows of (outcome, error, due in ms)."""
    outcome, error, due_ms = zip(*rows, strict=True)
    return pa.table(
        {
            "outcome": pa.array(outcome, pa.int8()),
            "error": error,
            "due_ns": [due * 1_000_000 for due in due_ms],
        }
    )


@pytest.mark.parametrize(
    ("why", "outcome", "error", "due_ms", "found"),
    [
        ("answered", Outcome.ACCEPTED, "", 0, 0),
        ("turned away", Outcome.REJECTED, "", 0, 1),
        ("no connection", Outcome.REFUSED, "connection refused", 0, 1),
        ("broken off by the target", Outcome.UNKNOWN, "closed before reply", 0, 1),
        ("waited for until the client gave up", Outcome.UNKNOWN, "drain limit", 0, 0),
        ("... after a time-out", Outcome.UNKNOWN, "timeout", 0, 0),
        ("... just before", Outcome.UNKNOWN, "drain limit", 950, 1),
        ("shed", Outcome.SHED, "shed", 0, 0),
    ],
)
def test_a_target_that_does_not_answer_is_slow_and_not_faulty(
    why: str, outcome: Outcome, error: str, due_ms: int, found: int
) -> None:
    table = requests((Outcome.ACCEPTED, "", 0), (outcome, error, due_ms))
    assert failed_requests(table, DRAINED_MS * 1_000_000, 100.0) == found, why
