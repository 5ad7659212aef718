"""How the search of a service ends: what was slow, what was not, what that says, and how to go on."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.commands.find_service import FAR, ServiceCommand, ServiceRequest
from tests.analysis.synthetic_service import ASKED, build_service

from .asked import COMMON, SELECTED, concluded

ASKED_FOR = dict.fromkeys(("limit_ms", "precision", "highest_per_s", "max_trials", "budget_s"))


def command(**given: Any) -> ServiceCommand:
    own = {"predict": True, "file": Path("blockpoint.toml"), "owned": (), "most_requests": 1000}
    return ServiceCommand(ServiceRequest(**COMMON | SELECTED | ASKED_FOR | own | given))


def test_the_culprit_is_named_to_people_and_to_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    concluded(command(), build_service(tmp_path / "first", 40, 70, 100))
    told = capsys.readouterr()
    assert (
        "blocked: POST /orders and GET /orders; fast meanwhile: GET /health\nculprit: something" in told.err
    )
    assert "at your own rate: blockpoint plan --rate RATE first\n" in told.err
    assert FAR not in told.err
    service = json.loads(told.out)["service"]
    assert service["requests"] == ASKED
    assert (service["blocked"], service["fast_meanwhile"]) == (
        ["POST /orders", "GET /orders"],
        ["GET /health"],
    )


def test_a_cause_that_was_told_far_above_the_blocking_point_is_called_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    concluded(command(), build_service(tmp_path / "first", 20, 190))
    assert f"the event loop is free{FAR}\n" in capsys.readouterr().err


def test_where_nothing_blocked_nobody_is_blamed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    concluded(command(), build_service(tmp_path / "first", 40))
    told = capsys.readouterr()
    assert json.loads(told.out)["service"]["culprit"] is None
    assert "culprit" not in told.err


def test_why_no_trial_counted_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    concluded(command(), build_service(tmp_path / "first", 40, reasons=["slip: p99 7 ms, limit 5 ms"]))
    assert "no trial counted, the last one because: slip: p99 7 ms, limit 5 ms\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("profile", "asked", "most"),
    [("quick", None, 24), ("quick", 4, 4), ("standard", None, 24), ("smoke", None, 3)],
)
def test_a_short_search_of_one_point_has_the_trials_that_make_it_sure(
    profile: str, asked: int | None, most: int
) -> None:
    assert command(max_trials=asked)._take(profile).max_trials == most
