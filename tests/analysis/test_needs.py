from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from analysis.drills.facts import Fact, shipped_facts
from analysis.report.half_load import half_loads
from analysis.report.needs import Sources, needs
from analysis.report.pages import render_page
from analysis.report.reach import Condition
from analysis.report.survival import losses, survives
from analysis.report.table import NOTHING, Table, Value
from analysis.trials.derive import Derived, derive
from results.schema import Manifest, Service
from results.store import Campaign
from tests.analysis.synthetic import Cell, Truth, build

TOLD = Condition("sleep", 50.0, "one-box")


def sources(derived: Derived) -> Sources:
    return Sources(derived.manifest, derived.summary, derived.points, shipped_facts())


def cells(table: Table, subject: str) -> dict[str, Value]:
    (row,) = (row for row in table.rows if row.subject == subject)
    return {column.name: value for column, value in zip(table.columns, row.cells, strict=True)}


@pytest.fixture(scope="module")
def derived(small: tuple[Campaign, dict[str, Truth]]) -> Derived:
    return derive(small[0].folder)


def test_rates_are_those_of_the_points_with_the_campaign_as_their_source(derived: Derived) -> None:
    table = needs(sources(derived), TOLD)[0]
    told = cells(table, "background_tasks/default")
    for name in ("API stays fast up to 50 ms", "Keeps up to 50 ms"):
        assert told[name].text.endswith("60 to 120")
        assert told[name].sort == 60
        assert told[name].source.startswith(f"{derived.manifest.campaign}: 3 valid trials of sleep 50 ms")
    assert cells(table, "celery/tuned")["API stays fast up to 50 ms"].text.endswith("> 120")


def test_start_and_cost_are_those_of_a_step_at_half_load_and_link_to_its_row(derived: Derived) -> None:
    step = half_loads(derived.summary, TOLD)["background_tasks", "default"]
    assert step["offered_per_s"] == 20, "half of the 60/s that it keeps up with, of 20 and 60"
    told = cells(needs(sources(derived), TOLD)[0], "background_tasks/default")
    page = render_page(derived, [], [])
    for name in ("Starts within", "CPU a task, memory"):
        assert told[name].source == f"{derived.manifest.campaign}: trial {step['trial_id']}"
        assert f'id="{told[name].link}"' in page
        (place,) = derived.summary.index[derived.summary["trial_id"] == step["trial_id"]]
        assert told[name].link == f"row-{place}"
    assert told["Starts within"].note == "at 20/s"
    roles = ("web", "worker", "broker")
    used = sum(step[f"{role}_cpu_cores"] for role in roles if np.isfinite(step[f"{role}_cpu_cores"]))
    assert told["CPU a task, memory"].sort == pytest.approx(1000 * used / step["completed_per_s"])


def test_a_cell_that_nothing_fills_says_why(runs: Path) -> None:
    cells_of = [
        Cell("celery", [(20, 3, 50)], service=Service(law="pool", slots=4), reasons=["slip p99 2 ms"]),
        Cell("own", [(400, 3, 50)], service=Service(law="pool", slots=4)),
        Cell("own", [(20, 3, 20)], service=Service(law="pool", slots=4)),
        Cell("other", [(20, 3, 20)], service=Service(law="pool", slots=4)),
    ]
    build(runs, cells_of)
    (table,) = needs(sources(derive(runs)), TOLD)
    refused, overloaded = cells(table, "celery/default"), cells(table, "own/default")
    assert refused["API stays fast up to 50 ms"].text == "refused"
    assert refused["API stays fast up to 20 ms"].text == "untried"
    assert refused["Starts within"].text == "refused"
    assert overloaded["Starts within"].text == "overloaded"
    assert cells(table, "other/default")["CPU a task, memory"].text == "untried"
    assert overloaded["Survives a killed web process"].text == "untried"
    assert all(value.source for value in (*refused.values(), *overloaded.values()))


def test_many_durations_make_another_table_that_begins_with_the_ones_told_first(runs: Path) -> None:
    build(runs, [Cell("celery", [(20, 3, d)]) for d in (1, 2, 5, 10, 50)])
    first, second = needs(sources(derive(runs)), TOLD)
    assert [column.label for column in first.columns if column.group == "Keeps up to"] == ["50 ms"]
    assert [c.label for c in second.columns if c.group == "Keeps up to"] == ["1 ms", "2 ms", "5 ms", "10 ms"]
    assert (first.name, second.name) == ("needs", "needs1")


def test_other_kinds_and_topologies_get_tables_of_their_own(runs: Path) -> None:
    conditions = (
        ("sleep", "one-box", 50),
        ("cpu", "one-box", 10),
        ("sleep", "split", 20),
        ("sleep", "split", 50),
    )
    build(runs, [Cell("celery", [(20, 3, d)], kind=kind, topology=where) for kind, where, d in conditions])
    made = needs(sources(derive(runs)), TOLD)
    assert [table.caption.split(": ")[1].split(", rates")[0] for table in made] == [
        "sleep tasks, one-box",
        "cpu tasks, one-box",
        "sleep tasks, split",
    ]
    assert [table.caption.rsplit(" at ")[-1] for table in made] == ["50 ms", "10 ms", "50 ms"]
    assert len({table.name for table in made}) == 3


KEPT = Fact("drills", "kill-web", "celery/tuned", 5, 191, 0, 0, 0, 0, 39, 0, np.nan, 12.0, 3600.0, 2)
OUTCOMES: list[tuple[dict[str, Any], str, str, str]] = [
    ({}, "yes", "of 39 none lost", "good"),
    ({"in_flight": 0}, "yes", "none was under way", "good"),
    ({"lost": 10, "lost_in_flight": 10}, "no", "10 of 39 lost", "bad"),
    ({"lost": 13, "lost_in_flight": 11, "hidden_at_rest": 28}, "no", "13 of 191 lost; 28 hidden", "bad"),
    ({"hidden_at_rest": 41, "held": 7}, "held", "7 of 191 had not come back at the end", "late"),
    ({"hidden_at_rest": 41}, "late", "41 hidden for 1 h by default", "late"),
]


@pytest.mark.parametrize(("changes", "text", "note", "look"), OUTCOMES)
def test_a_kill_is_survived_late_or_not(
    changes: dict[str, Any], text: str, note: str, look: str, small: tuple[Campaign, dict[str, Truth]]
) -> None:
    fact = replace(KEPT, **changes)
    made = survives(fact.subject, "kill-web", {(fact.subject, "kill-web"): fact}, small[0].manifest)
    assert (made.text, made.note, made.look) == (text, note, look)
    assert made.source == "drills: kill-web of celery/tuned, killed 5 times"
    (row,) = losses([fact.subject], {("", ""): fact}).rows
    assert row.anchor == made.link


def without_workers(manifest: Manifest) -> Manifest:
    subjects = [msgspec.structs.replace(subject, workers=0) for subject in manifest.subjects]
    return msgspec.structs.replace(manifest, subjects=subjects)


def test_what_is_not_there_cannot_be_killed(small: tuple[Campaign, dict[str, Truth]]) -> None:
    manifest = small[0].manifest
    for drill, missing in (("kill-worker", "no worker"), ("kill-broker", "no broker")):
        made = survives("celery/tuned", drill, {}, without_workers(manifest))
        assert (made.text, made.note) == (NOTHING, missing)
        assert survives("celery/tuned", drill, {}, manifest).text == "untried"
    assert survives("celery/tuned", "kill-web", {}, without_workers(manifest)).text == "untried"


def test_a_published_drill_tells_what_a_subject_has_that_this_campaign_does_not_hold(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    for workers, text in ((0, NOTHING), (1, "untried")):
        facts = {("own/other", "kill-web"): replace(KEPT, subject="own/other", workers=workers)}
        assert survives("own/other", "kill-worker", facts, small[0].manifest).text == text


def test_each_fact_of_the_table_has_its_row_on_the_page(derived: Derived) -> None:
    page = render_page(derived, [], [])
    table = needs(sources(derived), TOLD)[0]
    links = [value.link for row in table.rows for value in row.cells if value.link.startswith("fact-")]
    assert len(links) == 4, "background_tasks has a web process alone, celery all three"
    assert all(page.count(f'id="{link}"') == 1 for link in links)


def test_half_load_leaves_out_what_fell_behind_was_refused_or_was_closed(derived: Derived) -> None:
    rows = derived.summary.assign(behind=True)
    assert half_loads(rows, TOLD) == {}
    assert half_loads(derived.summary.assign(valid=False), TOLD) == {}
    assert half_loads(derived.summary.assign(closed=True), TOLD) == {}
    assert half_loads(pd.DataFrame(columns=derived.summary.columns), TOLD) == {}
