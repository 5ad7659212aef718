"""The facts that the documentation tells of drills, held against the campaigns published with it."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from analysis.drills.audit import Audited, audit
from analysis.drills.derive import Drills, derive_drills
from analysis.drills.facts import DRILLS, SHIPPED, facts_of, shipped_facts
from analysis.drills.matrix import matrix, trial_row
from analysis.drills.poison import poison_row
from analysis.drills.recovery import api_row
from analysis.report.markdown import markdown
from analysis.report.pictures import IMAGES, drawn
from results.schema import Trial
from results.store import Campaign, open_campaign
from results.terms import Fate
from tests.analysis.seen import alike

PUBLISHED = Path(__file__).parents[2] / "results" / "published"
CAMPAIGNS = ("drills", "drills-kill-child", "drills-alone")
"""the second repeats a drill that concerns fewer variants; in the third none ran beside another"""
CELERY = ("celery/default", "celery/late", "celery/tuned", "celery/durable")
BROKERED = ("celery/default", "celery/durable", "celery/tuned", "arq/default", "arq/durable", "arq/tuned")
IN_PROCESS = (
    "background_tasks/default",
    "background_tasks/tuned",
    "background_tasks_async/default",
    "background_tasks_blocking/default",
    "threadpool/default",
    "threadpool/tuned",
)


@cache
def published(campaign: str) -> tuple[Campaign, list[Trial]]:
    opened = open_campaign(PUBLISHED / campaign)
    return opened, opened.trials()


def trials(campaign: str) -> list[Trial]:
    return published(campaign)[1]


def met(drill: str, subjects: Iterable[str], campaigns: Iterable[str]) -> Iterator[tuple[Campaign, Trial]]:
    found = [
        (campaign, trial)
        for campaign, every in map(published, campaigns)
        for trial in every
        if trial.valid and trial.plan.drill == drill and trial.plan.subject in subjects
    ]
    assert {trial.plan.subject for _, trial in found} == set(subjects)
    yield from found


def valid(drill: str, *subjects: str) -> Iterator[Trial]:
    for _, trial in met(drill, subjects, CAMPAIGNS):
        yield trial


def audited(drill: str, *subjects: str, campaigns: Iterable[str] = CAMPAIGNS) -> Iterator[Audited]:
    for campaign, trial in met(drill, subjects, campaigns):
        yield audit(campaign, trial)


def total(fate: Fate, drill: str, *subjects: str) -> int:
    return sum(told(trial)[fate] for trial in valid(drill, *subjects))


def told(trial: Trial) -> dict[Fate, int]:
    assert trial.incident is not None
    return {fate: trial.incident.fates[fate.label] for fate in Fate}


@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_every_task_is_accounted_for(campaign: str) -> None:
    for trial in trials(campaign):
        assert sum(told(trial).values()) == trial.load.scheduled
        assert told(trial)[Fate.UNACCOUNTED] == 0
        assert told(trial)[Fate.CUT_OFF] == 0


def test_every_drill_was_done_twenty_times_with_every_strategy_that_it_concerns() -> None:
    done: dict[tuple[str, str], int] = {}
    planned = {(p.drill, p.subject.split("/")[0]) for p in open_campaign(PUBLISHED / "drills").manifest.plans}
    for trial in (*trials("drills"), *trials("drills-kill-child")):
        pair = (trial.plan.drill, trial.plan.subject.split("/")[0])
        done[pair] = done.get(pair, 0) + trial.valid
    assert set(done) == planned
    fewest = {pair: count for pair, count in done.items() if count < 20}
    assert fewest == {}


ARQ = ("arq/default", "arq/tuned", "arq/durable")
TOLD = [
    (353, Fate.LOST, "kill-web", IN_PROCESS),
    (28, Fate.LOST, "stop-web", ("threadpool/default",)),
    (10, Fate.LOST, "kill-worker", ("celery/default",)),
    (39, Fate.STARTED_TWICE, "stop-worker", ("arq/default",)),
    (22, Fate.STARTED_TWICE, "stop-worker", ("arq/tuned",)),
    (3, Fate.COMPLETED_TWICE, "stop-worker", CELERY),
    (335, Fate.LOST, "kill-broker", (*CELERY, *ARQ)),
    (0, Fate.LOST, "kill-broker", ("celery/tuned",)),
    (1, Fate.LOST, "kill-broker-aof", (*CELERY, *ARQ)),
    (10, Fate.COMPLETED_TWICE, "hang-broker", ("celery/tuned",)),
    (102, Fate.COMPLETED_TWICE, "too-short-window", CELERY),
    (210, Fate.LOST, "too-short-window", ARQ),
    (22, Fate.LOST, "poison-kill", ("celery/tuned",)),
    (5640, Fate.RAN_UNACCEPTED, "client-reset", ("inline/default", *IN_PROCESS, *CELERY, *ARQ)),
]


@pytest.mark.parametrize(("number", "fate", "drill", "subjects"), TOLD)
def test_the_documentation_tells_the_campaigns_own_figures(
    number: int, fate: Fate, drill: str, subjects: tuple[str, ...]
) -> None:
    found = met(drill, subjects, ["drills"])
    assert sum(told(trial)[fate] for _, trial in found) == number


def test_workers_of_arq_exit_with_their_broker_and_hide_for_their_window() -> None:
    broken = ("kill-broker", "kill-broker-aof")
    met_both = [t for drill in broken for _, t in met(drill, ("arq/default", "arq/tuned"), ["drills"])]
    assert len(met_both) == 28
    assert sum("worker" in t.incident.exited for t in met_both if t.incident) == 24
    killed = [trial.incident for _, trial in met("kill-worker", ARQ, ["drills"]) if trial.incident]
    assert sum(incident.hidden for incident in killed) == 92
    until_s = [incident.hidden_until_s for incident in killed if incident.hidden_until_s is not None]
    assert (round(min(until_s), 1), round(max(until_s), 1)) == (11.9, 12.5)


@cache
def matrix_of(name: str) -> pd.DataFrame:
    campaign, every = published(name)
    rows = pd.DataFrame([trial_row(audit(campaign, trial), campaign.manifest.jobs) for trial in every])
    return matrix(rows, campaign.manifest)


def test_the_docs_show_the_matrix_of_the_campaign() -> None:
    shown = markdown(matrix_of("drills"), published("drills")[0].manifest)
    assert shown in (PUBLISHED.parents[1] / "docs" / "drills.md").read_text()


def test_the_docs_show_the_picture_of_the_campaign() -> None:
    campaign, _ = published("drills")
    none = pd.DataFrame()
    tables = Drills(campaign.folder, campaign.manifest, none, matrix_of("drills"), none, none, none)
    assert alike((IMAGES / "drills" / "matrix.png").read_bytes(), drawn(tables, "matrix"))


def test_the_facts_that_every_page_shows_are_those_of_the_campaigns() -> None:
    told = {name: matrix_of(name) for name in ("drills-celery", "drills")}
    others = ("drills-saq", "drills-rq-durable", "drills-queues", "drills-in-process")
    told |= {name: derive_drills(PUBLISHED / name).matrix for name in others}
    assert facts_of(told).to_csv(index=False) == SHIPPED.read_text()
    assert set(shipped_facts()) == {
        (row.subject, row.drill)
        for table in told.values()
        for row in table[table["repeats"] > 0].itertuples()
        if row.drill in DRILLS
    }


def test_of_two_campaigns_the_first_one_tells_a_fact() -> None:
    both = facts_of({"first": matrix_of("drills"), "second": matrix_of("drills")})
    assert set(both["campaign"]) == {"first"}


def test_a_killed_web_process_loses_all_that_was_under_way_in_it() -> None:
    for drill in audited("kill-web", *IN_PROCESS):
        row = trial_row(drill, jobs=1)
        assert row["lost_in_flight"] == row["in_flight"] > 0


def test_a_stopped_web_process_ends_its_background_tasks_first() -> None:
    kinds = [subject for subject in IN_PROCESS if subject.startswith("background_tasks")]
    assert total(Fate.LOST, "stop-web", *kinds, "threadpool/tuned") == 0
    assert total(Fate.LOST, "stop-web", "threadpool/default") > 0


def test_a_queue_outlives_the_web_process() -> None:
    assert total(Fate.LOST, "kill-web", *BROKERED) == total(Fate.LOST, "stop-web", *BROKERED) == 0


def test_late_acknowledgement_alone_loses_the_task_of_a_killed_child() -> None:
    for trial in valid("kill-child", "celery/default", "celery/late"):
        assert told(trial)[Fate.LOST] == 1
    assert total(Fate.LOST, "kill-child", "celery/durable") == 0


def test_what_a_killed_worker_had_fetched_is_hidden_and_not_lost() -> None:
    for subject in ("celery/late", "celery/durable", "arq/default", "arq/tuned", "arq/durable"):
        assert total(Fate.LOST, "kill-worker", subject) == 0
        incidents = [trial.incident for trial in valid("kill-worker", subject)]
        assert sum(incident.hidden for incident in incidents if incident) > 0
    assert total(Fate.HIDDEN, "kill-worker", "celery/default") > 0


def test_arq_starts_again_what_it_was_doing_when_told_to_stop() -> None:
    assert total(Fate.STARTED_TWICE, "stop-worker", "arq/default", "arq/tuned") > 0
    assert total(Fate.STARTED_TWICE, "stop-worker", "arq/durable") == 0


def test_celery_told_to_stop_runs_again_only_what_it_was_just_handing_out() -> None:
    seen = 0
    for drill in audited("stop-worker", *CELERY):
        verdicts = drill.verdicts
        again = verdicts.attempts > 1
        since_ms = (verdicts.first_start_ns[again] - drill.incident.from_ns) / 1e6
        assert ((since_ms > -5) & (since_ms < 50)).all()
        seen += len(since_ms)
    assert seen > 0
    assert total(Fate.LOST, "stop-worker", *CELERY) == 0


def test_a_hanging_broker_blocks_the_api_only_where_celery_publishes_in_the_coroutine() -> None:
    def slowest_ms(*subjects: str) -> list[float]:
        found = audited("hang-broker", *subjects, campaigns=["drills-alone"])
        return [api_row(drill, limit_ms=100)["during_bystander_max_ms"] for drill in found]

    blocked = slowest_ms("celery/default", "celery/late")
    free = slowest_ms("celery/tuned", "celery/durable", "arq/default", "arq/tuned", "arq/durable")
    assert min(blocked) > 50 * max(free)


def test_what_fails_gets_the_attempts_that_its_variant_declares_and_harms_no_other() -> None:
    for drill in audited("poison-raise", *IN_PROCESS, *BROKERED, "celery/late"):
        row = poison_row(drill, jobs=1)
        assert row is not None
        assert row["poisoned"] == row["poisoned_failed"] > 0
        assert row["starts_min"] == row["starts_max"] == row["max_attempts"]
        assert row["others_failed"] == row["others_lost"] == 0


def test_a_broker_without_persistence_loses_what_is_queued_in_it() -> None:
    for subject in ("celery/default", "celery/durable", "arq/default", "arq/tuned", "arq/durable"):
        assert total(Fate.LOST, "kill-broker", subject) > 0
        assert total(Fate.LOST, "kill-broker", subject) > total(Fate.LOST, "kill-broker-aof", subject)


def test_a_client_that_hangs_up_stops_no_task() -> None:
    for trial in valid("client-reset", *IN_PROCESS, *BROKERED):
        assert told(trial)[Fate.RAN_UNACCEPTED] == trial.load.unknown > 0
