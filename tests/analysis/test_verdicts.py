from typing import Any

import numpy as np
import pytest

from analysis.trials.verdicts import blocking, falling_behind
from results.terms import Stream

LIMIT_MS = 100.0
COLUMNS = [stream.column for stream in Stream]


def row(slip_ms: float = 0.0, **p99: tuple[float, float, float]) -> dict[str, Any]:
    """Return a summary's row with the p99 of each stream and its interval, 5 ms where none is given."""
    made: dict[str, Any] = {"slip_p99_ms": slip_ms}
    for name in COLUMNS:
        low, value, high = p99.get(name, (4.0, 5.0, 6.0))
        made |= {
            f"{name}_p50_ms": value / 2,
            f"{name}_p99_low_ms": low,
            f"{name}_p99_ms": value,
            f"{name}_p99_high_ms": high,
            f"{name}_n": 200,
        }
    return made


@pytest.mark.parametrize(
    ("why", "given", "blocked", "certain", "by"),
    [
        ("all far below", row(), False, True, ""),
        ("one whole interval above", row(ping=(150, 200, 250)), True, True, "/ping"),
        ("one interval across, the value above", row(ping=(90, 110, 120)), True, False, "/ping"),
        ("one interval across, the value below", row(ping=(80, 95, 120)), False, False, ""),
        ("above only with the generator's lateness", row(3.0, accept=(102, 110, 120)), True, False, "accept"),
        (
            "the worst stream is named first",
            row(ping=(150, 200, 250), ping_sync=(300, 900, 950)),
            True,
            True,
            "/ping-sync, /ping",
        ),
        (
            "a certain one beside an uncertain one",
            row(ping=(90, 110, 120), accept=(150, 160, 170)),
            True,
            True,
            "accept, /ping",
        ),
        ("few samples, most above", row(accept=(np.nan, 260, np.nan)), True, True, "accept"),
        ("few samples, one above", row(accept=(np.nan, 110, np.nan)), True, False, "accept"),
        ("few samples, all below", row(accept=(np.nan, 20, np.nan)), False, False, ""),
    ],
)
def test_blocked_is_certain_where_the_margin_lies_on_one_side(
    why: str, given: dict[str, Any], blocked: bool, certain: bool, by: str
) -> None:
    found = blocking(given, LIMIT_MS)
    assert (found["blocked"], found["blocked_certain"], found["blocked_by"]) == (blocked, certain, by), why


def test_without_any_sample_nothing_is_certain() -> None:
    empty = (np.nan, np.nan, np.nan)
    nothing = row(accept=empty, ping=empty, ping_sync=empty) | {f"{name}_n": 0 for name in COLUMNS}
    found = blocking(nothing, LIMIT_MS)
    assert (found["blocked"], found["blocked_certain"]) == (False, False)


@pytest.mark.parametrize(("rejected", "behind"), [(0, False), (1, False), (2, True)])
def test_a_queue_that_turns_tasks_away_does_not_keep_up(rejected: int, behind: bool) -> None:
    found = falling_behind({"due": 100, "rejected": rejected, "behind": False, "behind_certain": True})
    assert found == {"behind": behind, "behind_certain": True}


def test_without_any_task_nothing_is_behind() -> None:
    nothing = {"due": 0, "rejected": 0, "behind": False, "behind_certain": False}
    assert falling_behind(nothing) == {"behind": False, "behind_certain": False}
