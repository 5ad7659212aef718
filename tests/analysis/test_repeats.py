from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from analysis.trials.brackets import Bracket, Verdict, bracket
from analysis.trials.questions import BLOCKING, QUESTIONS, SATURATION
from analysis.trials.repeats import POINT, Repeated, repeated, unlike
from analysis.trials.verdicts import blocking
from results.terms import Stream
from tests.analysis.synthetic import Cell, build

LIMIT_MS = 100.0

NOTHING = Bracket(None, None)
CASES = [
    ("two that overlap", [Bracket(80, 100), Bracket(90, 110)], Bracket(80, 110)),
    ("two that touch", [Bracket(80, 100), Bracket(100, 110)], Bracket(80, 110)),
    ("two apart", [Bracket(80, 90), Bracket(100, 110)], Bracket(80, 110, disputed=True)),
    ("one of three apart", [Bracket(80, 95), Bracket(90, 110), Bracket(99, 120)], Bracket(80, 120, True)),
    ("open above in one", [Bracket(80, 100), Bracket(90, None)], Bracket(80, None)),
    ("open above what failed in the other", [Bracket(80, 100), Bracket(600, None)], Bracket(80, None, True)),
    ("open below in one", [Bracket(None, 100), Bracket(90, 110)], Bracket(None, 110)),
    ("open on both sides", [NOTHING, Bracket(90, 110)], NOTHING),
    ("disputed in one", [Bracket(80, 100, disputed=True), Bracket(80, 100)], Bracket(80, 100, True)),
    ("one run", [Bracket(80, 100)], Bracket(80, 100)),
]


@pytest.mark.parametrize(("why", "runs", "together"), CASES)
def test_runs_together_hold_what_each_of_them_found(why: str, runs: list[Bracket], together: Bracket) -> None:
    found = Repeated({}, tuple(runs), (False,) * len(runs))
    assert found.together == together, why
    assert found.agree == (not together.disputed or "disputed" in why)


def points(*rows: tuple[str, str, float, float, int]) -> pd.DataFrame:
    return pd.DataFrame(
        dict(zip(POINT, (strategy, "default", "sleep", 100.0, "one-box", question), strict=True))
        | {
            "held_per_s": held,
            "failed_per_s": failed,
            "disputed": False,
            "shaky": held > 85,
            "trials": trials,
        }
        for strategy, question, held, failed, trials in rows
    )


def test_only_points_that_every_run_measured_are_compared() -> None:
    runs = [
        points(
            ("celery", BLOCKING, 80, 100, 4), ("celery", SATURATION, 70, 90, 4), ("arq", BLOCKING, 1, 2, 3)
        ),
        points(("arq", BLOCKING, np.nan, np.nan, 0), ("celery", BLOCKING, 90, np.nan, 5)),
    ]
    (found,) = repeated(runs)
    assert (found.about["strategy"], found.about["question"]) == ("celery", BLOCKING)
    assert (found.runs, found.shaky) == ((Bracket(80, 100), Bracket(90, None)), (False, True))


def saturation_row(rate: float, *, behind: bool, certain: bool = True) -> dict[str, Any]:
    return {"offered_per_s": rate, "behind": behind, "behind_certain": certain}


def test_repeats_at_one_rate_that_are_certain_of_both_move_both_edges_out() -> None:
    rows = [
        saturation_row(80, behind=False),
        saturation_row(100, behind=False),
        saturation_row(100, behind=True),
        saturation_row(120, behind=True),
    ]
    found, sure = QUESTIONS[SATURATION].interval(rows, LIMIT_MS, 1.1)
    assert (found, sure) == (Bracket(80, 120, disputed=True), False)
    assert bracket([Verdict(100, failed=False), Verdict(100, failed=True)]) == Bracket(
        None, None, disputed=True
    )


def blocking_row(rate: float, seconds: float, spells: int) -> dict[str, Any]:
    row: dict[str, Any] = {"offered_per_s": rate, "seconds": seconds}
    for stream in Stream:
        sizes = " ".join(["30"] * spells)
        row |= {f"{stream.column}_{name}": sizes for name in ("spells", "own", "nearly")}
        row[f"{stream.column}_n"] = int(100 * seconds)
    return row | blocking(row, LIMIT_MS)


def test_repeats_at_one_rate_are_one_sample_of_slowness() -> None:
    """Where one leans to slow and one does not, what both say together decides, and how surely."""
    beside = [blocking_row(80, 60, 0), blocking_row(120, 60, 12)]
    once, _ = QUESTIONS[BLOCKING].interval([*beside, blocking_row(100, 60, 0)], LIMIT_MS, 1.1)
    repeats = [blocking_row(100, 60, 0), blocking_row(100, 60, 4)]
    again, sure = QUESTIONS[BLOCKING].interval([*beside, *repeats], LIMIT_MS, 1.1)
    assert (once.held, once.failed) == (100, 120)
    assert (again, sure) == (Bracket(100, 120), False)


def test_repeats_that_are_certain_of_both_differ_by_more_than_chance() -> None:
    """Slowness of the same rate was surely rare in one run and surely frequent in another."""
    rows = [
        blocking_row(80, 60, 0),
        blocking_row(100, 60, 0),
        blocking_row(100, 60, 9),
        blocking_row(120, 60, 12),
    ]
    found, sure = QUESTIONS[BLOCKING].interval(rows, LIMIT_MS, 1.1)
    assert (found, sure) == (Bracket(80, 120, disputed=True), False)


def test_campaigns_of_unlike_conditions_are_told_apart(tmp_path: Path) -> None:
    usual = build(tmp_path, [Cell("celery", [(20, 1, 50)])])[0].manifest
    other = msgspec.structs.replace(usual, web_processes=2, http="h11")
    assert unlike([usual, usual]) == []
    assert unlike([usual, usual, other]) == ["web_processes", "http"]
