import math
from typing import Any

import pandas as pd
import pytest

from analysis.trials.brackets import Bracket
from analysis.trials.endings import Ending, ending, in_words, wider_because
from analysis.trials.point_table import interval
from results.schema import Point

SEARCHED = Point(
    subject="inline/default",
    kind="sleep",
    duration_ms=500,
    lowest_per_s=2,
    highest_per_s=600,
    seconds=3,
    max_seconds=6,
    bystander_per_s=20,
)
UNKNOWN_PER_S = math.nan
CASES = [
    ("as narrow as asked", Bracket(100, 110), UNKNOWN_PER_S, Ending.CLOSED, "100 to 110/s"),
    ("rounded to four digits", Bracket(100, 110.01), UNKNOWN_PER_S, Ending.CLOSED, "100 to 110/s"),
    ("a little wider", Bracket(100, 115), UNKNOWN_PER_S, Ending.WIDER, "100 to 115/s"),
    ("up to the square", Bracket(100, 121), UNKNOWN_PER_S, Ending.WIDER, "100 to 121/s"),
    ("beyond the square", Bracket(100, 123), UNKNOWN_PER_S, Ending.UNFINISHED, "100 to 123/s, unfinished"),
    ("far beyond it", Bracket(20, 590), UNKNOWN_PER_S, Ending.UNFINISHED, "20 to 590/s, unfinished"),
    ("held at the top", Bracket(600, None), math.inf, Ending.HIGHEST, "> 600/s"),
    ("held below the top", Bracket(500, None), math.inf, Ending.ABOVE, "> 500/s"),
    (
        "disputed at the top",
        Bracket(600, None, disputed=True),
        math.inf,
        Ending.ABOVE,
        "~> 600/s",
    ),
    ("failed at the lowest, as it must", Bracket(None, 2), 0.0, Ending.EVERYWHERE, "at every rate"),
    ("failed at the lowest", Bracket(None, 2), 5.0, Ending.LOWEST, "< 2/s"),
    ("failed at the lowest, no law", Bracket(None, 2), UNKNOWN_PER_S, Ending.LOWEST, "< 2/s"),
    ("failed further up, as it must", Bracket(None, 20), 0.0, Ending.BELOW, "< 20/s"),
    ("no verdict", Bracket(None, None), 0.0, Ending.UNKNOWN, "not found"),
]


@pytest.mark.parametrize(("why", "found", "predicted", "ended", "printed"), CASES)
def test_how_a_search_ended_and_is_printed(
    why: str, found: Bracket, predicted: float, ended: Ending, printed: str
) -> None:
    told = ending(found, SEARCHED, predicted, 1.1)
    assert (told, interval(found, ending=told)) == (ended, printed), why


@pytest.mark.parametrize(
    ("found", "ended"),
    [
        (Bracket(20, 590), Ending.CLOSED),
        (Bracket(60, None), Ending.HIGHEST),
        (Bracket(None, 60), Ending.LOWEST),
        (Bracket(60, None, disputed=True), Ending.UNKNOWN),
        (Bracket(None, 60, disputed=True), Ending.UNKNOWN),
    ],
)
def test_where_nothing_was_searched_nothing_is_unfinished(found: Bracket, ended: Ending) -> None:
    assert ending(found, None, UNKNOWN_PER_S, 1.1) == ended


def trials(*refused: tuple[float, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [{"offered_per_s": rate, "valid": not why, "reasons": why} for rate, why in ((20.0, ""), *refused)]
    )


@pytest.mark.parametrize(
    ("own", "disputed", "failure", "because"),
    [
        (trials(), False, "", "time or trials ran out"),
        (trials(), False, "the broker died", "a trial could not be measured: the broker died"),
        (trials(), True, "", "verdicts disagree"),
        (trials((100, "slip: p99 2 ms; noise: 0.2 cores")), False, "", "the machine was too noisy there"),
        (trials((100, "shed: 3")), True, "", "the generator could not do more"),
        (trials((100, "died: web")), False, "", "trials there did not count (died)"),
        (trials((700, "shed: 3")), False, "", "time or trials ran out"),
    ],
)
def test_why_an_interval_is_wider_than_asked(
    own: pd.DataFrame, disputed: bool, failure: str, because: str
) -> None:
    found = Bracket(20, 590, disputed=disputed)
    assert wider_because(Ending.UNFINISHED, found, own, failure, sure=False) == because
    assert wider_because(Ending.CLOSED, found, own, failure, sure=False) == ""
    assert wider_because(Ending.HIGHEST, found, own, failure, sure=False) == ""


def test_edges_that_were_made_sure_may_lie_further_out() -> None:
    found = Bracket(100, 118)
    further = "the edges that are sure lie further out"
    assert wider_because(Ending.WIDER, found, trials(), "", sure=True) == further
    assert wider_because(Ending.WIDER, found, trials(), "", sure=False) == "time or trials ran out"
    assert wider_because(Ending.UNFINISHED, found, trials(), "", sure=True) == "time or trials ran out"


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (Ending.EVERYWHERE, "since a task takes longer than 100 ms"),
        (Ending.HIGHEST, "the highest rate tried"),
        (Ending.LOWEST, "the lowest rate tried"),
        (Ending.ABOVE, "not found above 40/s: the search ended (time ran out)"),
        (Ending.BELOW, "not found below 40/s: the search ended (time ran out)"),
        (Ending.UNFINISHED, "wider than asked: time ran out"),
        (Ending.WIDER, "wider than asked: time ran out"),
        (Ending.CLOSED, ""),
        (Ending.UNKNOWN, ""),
    ],
)
def test_the_words_beside_an_interval(ended: Ending, told: str) -> None:
    row: dict[str, Any] = {"ending": str(ended), "wider_because": "time ran out"}
    assert in_words(row, "40/s", "100 ms") == told
