"""Two campaigns beside each other."""

import math
from pathlib import Path

import numpy as np
import pytest

from analysis.compare.comparison import Compared, SideBySide, side_by_side
from analysis.compare.page import compare_page
from analysis.compare.ratios import Ratio, of_brackets
from analysis.compare.rules import Judgement, Rule, verdict
from analysis.compare.sides import read_side
from analysis.compare.words import as_markdown, conclusion
from analysis.trials.brackets import Bracket
from benchmarks.comparisons import BASE, SLOWER, SMALLER, compared, make
from results.errors import BlockpointError
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, amend, build


def campaign(folder: Path, **changes: object) -> str:
    """Make a campaign of a pool of 4, whose manifest may say something else."""
    cells = [
        Cell("celery", [(rate, 6, 50)], service=POOL, seed=seed, repeat=seed, bystander_per_s=100)
        for seed in range(3)
        for rate in (30, 60)
    ]
    made = build(folder, cells)[0]
    if changes:
        amend(made, **changes)
    return str(folder)


def sides(first: str, second: str) -> SideBySide:
    return side_by_side(read_side(first), read_side(second))


def test_a_campaign_does_not_differ_from_itself(tmp_path: Path) -> None:
    name = campaign(tmp_path / "a")
    found = sides(name, name)
    assert verdict(found, []) is Judgement.NO_DIFFERENCE
    assert {ratio.metric for _, ratio in found.ratios} >= {"accept p99", "completion p50", "throughput"}
    assert all(ratio.low <= 1 <= ratio.high for _, ratio in found.ratios)
    assert not found.flagged


def test_repeats_under_one_seed_are_paired_one_by_one(tmp_path: Path) -> None:
    cells = [Cell("celery", [(30, 4, 50)], service=POOL, repeat=repeat) for repeat in range(3)]
    name = str(build(tmp_path / "a", cells)[0].folder)
    assert {each.pairs for each in sides(name, name).compared} == {0, 3}


def test_other_conditions_are_flagged_by_name_or_refused(tmp_path: Path) -> None:
    first = campaign(tmp_path / "a")
    second = campaign(tmp_path / "b", web_processes=2, slots=20)
    assert {each.name for each in sides(first, second).flagged} == {"web processes", "slots"}
    elsewhere = campaign(tmp_path / "d", generators=2, environment={"agent": {"host": "web-1"}})
    assert {"agent's host: none and web-1", "generators: 1 here, 0 elsewhere and 2 here, 0 elsewhere"} < {
        str(each) for each in sides(first, elsewhere).flagged
    }
    with pytest.raises(BlockpointError, match="limit of latency: 100 ms and 50 ms"):
        sides(first, campaign(tmp_path / "c", limit_ms=50.0))


def test_one_subject_of_each_is_paired_whatever_its_name(tmp_path: Path) -> None:
    first = campaign(tmp_path / "a")
    build(tmp_path / "b", [Cell("arq", [(30, 6, 50)], service=POOL, seed=seed) for seed in range(3)])
    with pytest.raises(BlockpointError, match="no subject, kind, duration and topology in common"):
        sides(first, str(tmp_path / "b"))
    found = sides(f"{first}:celery/default", f"{tmp_path / 'b'}:arq/default")
    assert {each.subjects for each in found.compared} == {("celery/default", "arq/default")}
    with pytest.raises(BlockpointError, match="did you mean 'celery/default'"):
        read_side(f"{first}:celery/defalt")


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        (Bracket(100, 110), Bracket(100, 110), 100 / 110, 110 / 100),
        (Bracket(100, 110), Bracket(50, 55), 50 / 110, 55 / 100),
        (Bracket(100, None), Bracket(50, 55), 0, 55 / 100),
        (Bracket(100, 110), Bracket(220, None), 2, math.inf),
    ],
)
def test_of_two_intervals_the_ratio_is_all_that_it_may_be(
    first: Bracket, second: Bracket, low: float, high: float
) -> None:
    found = of_brackets("blocking", first, second, shaky=False)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_of_two_open_intervals_nothing_is_known() -> None:
    assert not of_brackets("blocking", Bracket(100, None), Bracket(100, None), shaky=False).known


def test_what_may_move_is_no_regression() -> None:
    sure, shaky = (Ratio("blocking", 0.4, 0.5, 0.6, shaky=each) for each in (False, True))
    assert sure.worse
    assert not shaky.differs
    assert Ratio("accept p99", 1.6, 1.8, 2.4).worse
    assert not Ratio("accept p99", 1.3, 1.8, 2.4).differs
    assert Ratio("completion p50", 1.15, 1.2, 1.25).worse
    assert Ratio("completion p50", 0.7, 0.8, 0.9).better


def ratios(*told: Ratio) -> SideBySide:
    about = (("a/b", "a/b"), ("sleep", 50.0, "one-box"))
    return SideBySide("first", "second", [], [], [Compared(*about, None, 0, list(told))])


@pytest.mark.parametrize(
    ("text", "ratio", "ended"),
    [
        ("blocking < 0.9", Ratio("blocking", 0.7, 0.8, 0.85), Judgement.REGRESSION),
        ("blocking<0.9", Ratio("blocking", 0.7, 0.85, 0.95), Judgement.NO_DIFFERENCE),
        ("/Ping-sync p99 > 1.5", Ratio("/ping-sync p99", 1.6, 2, 3), Judgement.REGRESSION),
        ("accept p99 >= 1.5", Ratio("/ping p99", 1.6, 2, 3), Judgement.NOT_MEASURABLE),
    ],
)
def test_a_rule_fails_where_all_of_the_interval_does(text: str, ratio: Ratio, ended: Judgement) -> None:
    assert verdict(ratios(ratio), [Rule.parse(text)]) is ended


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blocking", "is no rule"),
        ("blocking < fast", "is no rule"),
        ("__import__('os') < 1", "is no rule"),
        ("blokcing < 0.9", "did you mean 'blocking'"),
        ("blocking < 0", "lies between 0 and 1000"),
    ],
)
def test_what_is_no_rule_is_refused_in_a_line(text: str, said: str) -> None:
    with pytest.raises(BlockpointError, match=said.replace("(", r"\(")) as error:
        Rule.parse(text)
    assert "\n" not in str(error.value)


def test_words_for_a_pull_request_and_a_page_are_escaped() -> None:
    found = ratios(Ratio("blocking", 0.4, 0.5, 0.6))
    told = as_markdown(found, Judgement.REGRESSION, [])
    assert "| a/b, sleep 50 ms, one-box | blocking | 0.500 | 0.400 to 0.600 | WORSE |" in told
    assert "second against first: worse (1 ratios: 1 worse, 0 better)" in conclusion(
        found, Judgement.REGRESSION, []
    )
    strange = SideBySide("<script>", "b|c", [], [], found.compared)
    assert "<script>" not in as_markdown(strange, Judgement.REGRESSION, []) + compare_page(
        strange, Judgement.REGRESSION, []
    )


def test_longer_tasks_are_found_and_a_repeat_is_not() -> None:
    first = make(BASE, 1000, "quick")
    assert verdict(compared(first, make(BASE, 1500, "quick")), []) is Judgement.NO_DIFFERENCE
    slower = compared(first, make(SLOWER, 1500, "quick"))
    assert "completion p50" in {ratio.metric for _, ratio in slower.ratios if ratio.worse}
    smaller = compared(first, make(SMALLER, 1500, "quick"))
    assert not any(ratio.better for _, ratio in smaller.ratios)
    assert np.isfinite([ratio.low for _, ratio in slower.ratios]).all()
