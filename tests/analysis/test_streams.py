"""A bystander that few targets offer: told of where it was asked, and nowhere else."""

import pytest

from analysis.charts import Caption, latency_of_all
from analysis.report.rows import all_rows
from analysis.trials.derive import Derived, derive, read_derived, write_tables
from analysis.trials.predictions import agreement
from analysis.trials.streams import bystanders_in, worst_of
from results.schema import Service
from results.terms import OFFERED_BY_ALL, Stream
from tests.analysis.synthetic import Cell, build

POOL = Service(law="pool", slots=4, shares=["accept", "ping_db"])
RATES = (20.0, 60.0, 120.0)


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    """A pool of 80/s that requests wait for: those that submit and those of `/ping-db`."""
    suffers = ("accept", "ping_db")
    cells = [
        Cell("yield_dependency", [(rate, 3, 50)], service=POOL, suffers=suffers, bystander_per_s=80)
        for rate in RATES
    ]
    cells += [Cell("inline", [(rate, 3, 50)], bystander_per_s=80) for rate in RATES]
    return derive(build(tmp_path_factory.mktemp("runs") / "reads", cells)[0].folder)


def of(derived: Derived, strategy: str) -> Derived:
    summary, predictions = derived.summary, derived.predictions
    return Derived(
        derived.folder,
        derived.manifest,
        summary[summary["strategy"] == strategy],
        derived.bursts,
        predictions[predictions["strategy"] == strategy],
    )


def test_it_can_be_what_blocks(derived: Derived) -> None:
    blocked = derived.summary.set_index(["strategy", "offered_per_s"])["blocked_by"]
    assert set(blocked["yield_dependency", 120.0].split(", ")) == {"/ping-db", "accept"}
    assert blocked["inline", 120.0] == ""
    assert (
        "/ping-db" in derived.points.set_index(["strategy", "question"])["by"]["yield_dependency", "blocking"]
    )


def test_theory_follows_what_waits_for_the_tasks_before_they_are_accepted(derived: Derived) -> None:
    rows = of(derived, "yield_dependency").predictions
    assert rows["predicted_queue_wait_p99_ms"].isna().all()
    overloaded = rows[rows["offered_per_s"] == max(RATES)]
    for stream in (Stream.TASKS, Stream.PING_DB):
        assert agreement(overloaded, f"{stream.column}_p99_ms").tolist() == [True]
    assert rows["predicted_ping_sync_p99_ms"].isna().all()


def test_tables_and_charts_name_it_only_where_it_was_asked(derived: Derived) -> None:
    for strategy, named in (("yield_dependency", True), ("inline", False)):
        own = of(derived, strategy)
        assert (Stream.PING_DB in bystanders_in(own.summary)) == named
        columns = [column.label for column in all_rows(own.summary, 100.0).columns]
        assert ("/ping-db p99" in columns) == named
        drawn = latency_of_all(own.summary, own.predictions, Caption("", "", ""))
        said = {text.get_text() for text in drawn.axes[0].texts} | {drawn.axes[0].get_title("left")}
        assert any("/ping-db" in each for each in said) == named


def test_two_have_a_worse_and_three_a_worst() -> None:
    assert worst_of(list(OFFERED_BY_ALL)) == "the worse of /ping and /ping-sync"
    assert worst_of([*OFFERED_BY_ALL, Stream.PING_DB]) == "the worst of /ping, /ping-sync and /ping-db"


def test_tables_made_before_the_stream_was_known_are_made_again(derived: Derived) -> None:
    old = derived.summary.drop(columns=[name for name in derived.summary if name.startswith("ping_db")])
    write_tables(derived.folder, {"summary": old, "predictions": derived.predictions})
    assert read_derived(derived.folder).summary["ping_db_n"].max() > 0
