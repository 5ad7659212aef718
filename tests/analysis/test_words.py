from pathlib import Path

import pytest

from analysis.charts.parts import few
from analysis.report.pages import render_page
from analysis.report.words import Reading, read
from analysis.trials.brackets import Bracket, Verdict, bracket
from analysis.trials.derive import derive, read_derived
from analysis.trials.point_table import Answer, answers, interval
from analysis.trials.questions import BLOCKING, SATURATION
from results.schema import Service
from results.store import Campaign
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, Truth, build

CASES = [
    ("nothing measured", [], [], Bracket(None, None), "not found"),
    ("held everywhere", [10, 20], [0, 0], Bracket(20, None), "> 20/s"),
    ("failed from the start", [10, 20], [1, 1], Bracket(None, 10), "< 10/s"),
    ("turned once", [30, 10, 20], [1, 0, 0], Bracket(20, 30), "20 to 30/s"),
    (
        "repeats disagree",
        [10, 20, 20],
        [0, 0, 1],
        Bracket(10, None, disputed=True),
        "~> 10/s",
    ),
    (
        "failed for sure above a dispute",
        [10, 20, 20, 30, 40],
        [0, 0, 1, 0, 1],
        Bracket(10, 40, disputed=True),
        "~10 to 40/s",
    ),
    (
        "held again above",
        [10, 20, 30],
        [0, 1, 0],
        Bracket(10, None, disputed=True),
        "~> 10/s",
    ),
]


@pytest.mark.parametrize(("why", "rates", "failed", "found", "printed"), CASES)
def test_brackets(why: str, rates: list[float], failed: list[int], found: Bracket, printed: str) -> None:
    made = bracket(Verdict(rate, bool(answer)) for rate, answer in zip(rates, failed, strict=True))
    assert (made, interval(made)) == (found, printed), why


def reading(small: tuple[Campaign, dict[str, Truth]], strategy: str) -> tuple[Reading, Answer]:
    derived = read_derived(small[0].folder)
    (found,) = (r for r in read(derived.summary, derived.points) if r.strategy == strategy)
    (answer,) = (a for a in answers(derived.points) if a.strategy == strategy)
    return found, answer


def test_a_full_pool_is_named_with_what_it_starved(small: tuple[Campaign, dict[str, Truth]]) -> None:
    found, answer = reading(small, "background_tasks")
    assert answer.found[BLOCKING].by == "/ping-sync"
    assert answer.found[BLOCKING].interval.endswith("60 to 120/s")
    assert answer.found[SATURATION].interval.endswith("60 to 120/s")  # the invalid trial at 240/s has no say
    assert (answer.trials, answer.invalid, answer.ceiling) == (3, 1, "80/s")
    text = " ".join(found.sentences)
    assert "/ping-sync crossed 100 ms between 60 and 120 tasks/s" in text
    assert "theory puts the ceiling at 80/s" in text
    assert "1 trial was invalid and left out (slip p99 2 ms)" in text


def test_a_broker_falls_behind_while_its_api_stays_fast(small: tuple[Campaign, dict[str, Truth]]) -> None:
    found, answer = reading(small, "celery")
    assert answer.found[BLOCKING].by == ""
    assert answer.found[BLOCKING].interval.endswith("> 120/s")
    assert answer.found[SATURATION].interval.endswith("60 to 120/s")
    assert "The API stayed fast at every rate measured, up to 120/s" in found.sentences[0]


def test_a_p99_of_few_samples_is_said_to_be_their_maximum(runs: Path) -> None:
    build(runs, [Cell("celery", [(10, 5, 50)], service=POOL, bystander_per_s=50)])
    derived = derive(runs)
    (row,) = derived.summary.itertuples()
    assert row.accept_n < 100 < min(row.ping_n, row.ping_sync_n)
    (found,) = read(derived.summary, derived.points)
    said = f"a trial had only {row.accept_n} of accepting a task."
    assert any(sentence.endswith(said) for sentence in found.sentences)
    page = render_page(derived, [], [])
    assert page.count(f" ms of {row.accept_n}</td>") == 1
    assert "is their maximum" in few(derived.summary)
    build(runs.with_name("many"), [Cell("celery", [(100, 5, 5)], service=POOL, bystander_per_s=50)])
    enough = derive(runs.with_name("many"))
    assert not any("maximum" in s for each in read(enough.summary, enough.points) for s in each.sentences)
    assert not few(enough.summary)


def test_only_invalid_trials_say_nothing(runs: Path) -> None:
    build(runs, [Cell("celery", [(20, 3, 50)], service=POOL, reasons=["a noisy neighbour"])])
    derived = derive(runs)
    (found,), (answer,) = read(derived.summary, derived.points), answers(derived.points)
    assert found.sentences == ["Nothing can be said: every trial was invalid (a noisy neighbour)."]
    assert answer.found[BLOCKING].interval == answer.found[SATURATION].interval == "not measured"


def test_closed_loops_and_bursts_make_no_verdict(runs: Path) -> None:
    cells = [Cell("celery", [(20, 3, 50)], scenario="closed_loop", closed=True)]
    build(runs, [*cells, Cell("celery", [(20, 3, 50)], scenario="burst")])
    derived = derive(runs)
    assert read(derived.summary, derived.points) == []
    assert answers(derived.points) == []


def test_a_ramp_stands_in_where_nothing_else_was_measured(runs: Path) -> None:
    steps = [(20.0, 3.0, 50.0), (200.0, 3.0, 50.0)]
    loop = Service(law="loop", slots=1)
    build(runs, [Cell("blocking", steps, service=loop, scenario="ramp", suffers=("accept", "ping"))])
    derived = derive(runs)
    (found,), (answer,) = read(derived.summary, derived.points), answers(derived.points)
    assert answer.found[BLOCKING].gave_way
    assert "crossed 100 ms" in found.sentences[0] or "already at the lowest rate" in found.sentences[0]
