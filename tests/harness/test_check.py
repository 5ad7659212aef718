import io
from pathlib import Path

import pytest
from rich.console import Console

from harness.commands.check import PROFILE, CheckRequest, compare_pairs, planned_pairs
from harness.target.placement import BY_RULE
from results.errors import BlockpointError
from results.schema import Service
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=4)


def request(**given: object) -> CheckRequest:
    defaults = {
        "strategy": "background_tasks",
        "kind": "sleep",
        "duration_ms": 50.0,
        "topology": "one-box",
        "rate_per_s": None,
        "fraction": 0.5,
        "seconds": 5.0,
        "pairs": 20,
        "attempts": 2,
        "seed": 7,
        "slots": 40,
        "loop": "auto",
        "http": "auto",
        "redis_url": "",
        "placement": BY_RULE,
        "max_foreign_cores": 0.1,
        "quiet_wait": 0.0,
        "name": PROFILE,
        "resume": "",
    }
    return CheckRequest(**(defaults | given))  # type: ignore[arg-type]


def test_pairs_meet_the_same_schedule_in_random_order_on_stacks_of_their_own() -> None:
    planned = planned_pairs(request())
    assert planned == planned_pairs(request())
    assert len({plan.trial_id for plan in planned}) == len({plan.repeat for plan in planned}) == 40
    firsts = []
    for one, other in zip(planned[::2], planned[1::2], strict=True):
        assert one.seed == other.seed == 7 + one.repeat // 2 == 7 + other.repeat // 2
        assert one.rate_per_s == other.rate_per_s == 400
        assert one.subject == other.subject == "background_tasks/default"
        firsts.append(one.repeat % 2)
    assert 4 < sum(firsts) < 16


def test_a_strategy_without_a_ceiling_needs_a_rate() -> None:
    with pytest.raises(BlockpointError, match="--rate"):
        planned_pairs(request(strategy="inline"))
    assert planned_pairs(request(strategy="inline", rate_per_s=10))[0].rate_per_s == 10


def verdict(folder: Path, cells: list[Cell]) -> tuple[int, str]:
    said: list[str] = []
    console = Console(width=100, record=True, file=io.StringIO())
    found = compare_pairs(build(folder, cells)[0], console, said.append)
    return found.code, console.export_text() + "\n".join(said)


def pair(number: int, rates: tuple[float, float], **given: object) -> list[Cell]:
    return [
        Cell("celery", [(rate, 4, 50)], service=POOL, seed=number, repeat=2 * number + second, **given)  # type: ignore[arg-type]
        for second, rate in enumerate(rates)
    ]


def test_equal_runs_pass_and_unequal_ones_fail(tmp_path: Path) -> None:
    code, text = verdict(tmp_path / "same", pair(0, (40, 40)) + pair(1, (40, 40)))
    assert code == 0
    assert "FOUND" not in text
    assert "throughput 0/2" in text
    code, text = verdict(tmp_path / "unlike", pair(0, (40, 70)) + pair(1, (40, 70)) + pair(2, (40, 70)))
    assert code == 1
    assert "FOUND" in text


def test_pairs_with_an_invalid_trial_are_named_and_left_out(tmp_path: Path) -> None:
    code, text = verdict(tmp_path / "one", pair(0, (40, 40)) + pair(1, (40, 70), reasons=["slip: late"]))
    assert code == 0
    assert "slip: late" in text
    assert "left out: pair 2" in text
    with pytest.raises(BlockpointError, match="no pair is valid"):
        verdict(tmp_path / "none", pair(0, (40, 40), reasons=["slip: late"]))
