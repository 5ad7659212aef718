from typing import Any

import pytest

from analysis.trials.verdicts import blocking, falling_behind
from results.terms import Stream

LIMIT_MS = 100.0
COLUMNS = [stream.column for stream in Stream]


def row(seconds: float = 60.0, **slow: str) -> dict[str, Any]:
    """Return a summary's row of 100 requests a second: of each stream the sizes of its slow spells."""
    made: dict[str, Any] = {"seconds": seconds}
    for name in COLUMNS:
        spells, _, own = slow.get(name, "").partition("|")
        sizes = {"spells": spells, "own": own or spells, "nearly": spells}
        made |= {f"{name}_{kind}": text for kind, text in sizes.items()} | {f"{name}_n": int(100 * seconds)}
    return made


@pytest.mark.parametrize(
    ("why", "given", "blocked", "certain", "by"),
    [
        ("never slow, at length", row(), False, True, ""),
        ("never slow, but too short to have met a spell", row(seconds=2), False, False, ""),
        ("slow all the time", row(seconds=2, ping="200"), True, True, "/ping"),
        ("slow once, in a short trial", row(seconds=2, ping="12"), True, False, "/ping"),
        ("slow again and again", row(ping="12 14 11 12 13 12 12 11 13 12 14"), True, True, "/ping"),
        ("slow by the generator's lateness alone", row(seconds=2, accept="200|1"), True, False, "accept"),
        ("slow, but less than one in a hundred", row(seconds=600, ping="10 10 10"), False, True, ""),
        ("the slowest is named first", row(ping="900", ping_sync="3000"), True, True, "/ping-sync, /ping"),
        ("a sure one beside a doubtful one", row(ping="70", accept="6000"), True, True, "accept, /ping"),
    ],
)
def test_blocked_is_certain_where_the_spells_rule_the_other_answer_out(
    why: str, given: dict[str, Any], blocked: bool, certain: bool, by: str
) -> None:
    found = blocking(given, LIMIT_MS)
    assert (found["blocked"], found["blocked_certain"], found["blocked_by"]) == (blocked, certain, by), why


def test_without_any_sample_nothing_is_certain() -> None:
    nothing = row() | {f"{name}_n": 0 for name in COLUMNS}
    found = blocking(nothing, LIMIT_MS)
    assert (found["blocked"], found["blocked_certain"]) == (False, False)


@pytest.mark.parametrize(("rejected", "behind"), [(0, False), (1, False), (2, True)])
def test_a_queue_that_turns_tasks_away_does_not_keep_up(rejected: int, behind: bool) -> None:
    found = falling_behind({"due": 100, "rejected": rejected, "behind": False, "behind_certain": True})
    assert found == {"behind": behind, "behind_certain": True}


def test_without_any_task_nothing_is_behind() -> None:
    nothing = {"due": 0, "rejected": 0, "behind": False, "behind_certain": False}
    assert falling_behind(nothing) == {"behind": False, "behind_certain": False}
