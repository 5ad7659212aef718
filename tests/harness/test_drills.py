"""Drills with real processes, and what they are made of."""

import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from harness.campaign.jobs import in_parallel
from harness.campaign.predictions import subject_on
from harness.campaign.session import Setup
from harness.drills.catalogue import DRILLS, Trigger
from harness.drills.plans import planned_drills
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.trial.measurement import Limits, Measuring
from results.errors import BlockpointError
from results.schema import Trial
from results.store import open_campaign
from results.terms import Fate
from targets.settings import Settings
from tests.harness.blockpoint import LIMIT_S, blockpoint, eventually, families, started
from tests.harness.inside import inside
from tests.servers import rabbitmq

SETTINGS = Settings(slots=4, cores=2)
KEYS = [
    "inline/default",
    "background_tasks/default",
    "celery/default",
    "celery/tuned",
    "celery/durable",
    "arq/durable",
]


def planned(
    names: list[str], *, repeats: int = 1, spread: bool = False, jobs: int = 1
) -> list[tuple[str, str]]:
    drills = [DRILLS[name] for name in names]
    made = planned_drills(
        drills, KEYS, SETTINGS, Pinning(), repeats=repeats, spread=spread, seed=1, jobs=jobs
    )
    return [(plan.drill, plan.subject) for plan in made]


@pytest.mark.parametrize("name", ["kill-web", "stop-web", "client-reset", "poison-raise", "poison-kill"])
def test_every_strategy_has_a_web_process_and_clients(name: str) -> None:
    assert {subject for _, subject in planned([name])} == set(KEYS)


@pytest.mark.parametrize("name", ["kill-worker", "stop-worker", "slow-start", "kill-broker", "hang-broker"])
def test_only_some_have_workers(name: str) -> None:
    assert {subject for _, subject in planned([name])} == set(KEYS[2:])


def test_only_prefork_workers_have_children() -> None:
    assert {subject for _, subject in planned(["kill-child"])} == {"celery/default", "celery/durable"}


@pytest.mark.parametrize(
    ("key", "has"),
    [
        ("processpool/tuned", True),
        ("threadpool/tuned", False),
        ("rq/default", True),
        ("huey/default", False),
    ],
)
def test_a_process_of_its_own_for_each_task_is_a_child_and_a_thread_is_none(key: str, has: bool) -> None:
    subject, _ = subject_on(key, SETTINGS, Pinning())
    assert DRILLS["kill-child"].concerns(subject) is has


def test_repeats_have_seeds_of_their_own_that_all_subjects_share() -> None:
    drills = [DRILLS["kill-web"]]
    made = planned_drills(drills, KEYS, SETTINGS, Pinning(), repeats=7, spread=False, seed=3, jobs=1)
    assert len({plan.trial_id for plan in made}) == len(made) == 7 * len(KEYS)
    for key in KEYS:
        assert sorted(plan.seed for plan in made if plan.subject == key) == list(range(3, 10))


def test_variants_share_the_repeats_of_a_drill_that_concerns_them() -> None:
    made = Counter(planned(["kill-child", "kill-worker", "kill-web"], repeats=20, spread=True))
    assert made["kill-child", "celery/default"] == made["kill-child", "celery/durable"] == 10
    assert made["kill-worker", "celery/default"] == made["kill-worker", "celery/tuned"] == 7
    assert made["kill-worker", "arq/durable"] == made["kill-web", "inline/default"] == 20


def test_what_shares_a_target_stands_together() -> None:
    made = [name for name, subject in planned(list(DRILLS), repeats=5) if subject == "celery/default"]
    for name in ("too-short-window", "kill-broker-aof"):
        places = [place for place, drill in enumerate(made) if drill == name]
        assert places == list(range(places[0], places[0] + 5))


def test_windows_are_shortened_in_the_drill_only() -> None:
    for key in ("celery/durable", "arq/durable"):
        own, settings = subject_on(key, SETTINGS, Pinning())
        shortened = Settings(**{**vars(settings), **DRILLS["kill-worker"].settings})
        assert 0 < subject_on(key, shortened, Pinning())[0].window_s < own.window_s


def test_a_trigger_says_what_it_waits_for() -> None:
    assert Trigger(ended=10, running=1).words() == "at least 10 ended, 1 running"


def test_an_unknown_drill_offers_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inside(monkeypatch, capsys, "drill", "kil-web", "--dry-run").err.endswith(
        "did you mean 'kill-web'?\n"
    )


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (["kill-web-worker"], "kill-web-worker needs --workers 2 or more"),
        (
            ["poison-kill", "--workers", "2"],
            "poison-kill is defined for one web process: leave --workers away",
        ),
    ],
)
def test_a_drill_that_is_not_defined_for_so_many_web_processes_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], asked: list[str], refusal: str
) -> None:
    said = inside(monkeypatch, capsys, "drill", *asked, "--strategy", "background_tasks", "--dry-run")
    assert (said.code, said.err) == (2, f"error: {refusal}\n")


def test_the_others_say_whom_they_strike(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (
        inside(monkeypatch, capsys, "drill", "--strategy", "inline", "--dry-run", *more).out
        for more in ((), ("--workers", "2"))
    )
    assert "SIGKILL to the web process" in one
    assert "SIGKILL to uvicorn's parent and all" in two
    assert ("kill-web-worker" in one, "kill-web-worker" in two) == (False, True)
    assert ("poison-kill" in one, "poison-kill" in two) == (True, False)


def setup(members: Family, jobs: int) -> Setup:
    return Setup(members, SETTINGS, Measuring(Limits()), 1, 0.0, "asyncio", "h11", jobs=jobs)


def test_jobs_run_beside_each_other_and_keep_the_order(members: Family) -> None:
    together = threading.Barrier(3, timeout=LIMIT_S)

    def work(block: int) -> int:
        together.wait()
        return block * 10

    assert in_parallel(setup(members, 3), [1, 2, 3], work) == [10, 20, 30]


def test_the_first_error_ends_all_jobs(members: Family) -> None:
    begun: list[int] = []

    def work(block: int) -> int:
        begun.append(block)
        if block == 0:
            raise BlockpointError("the disk is full")
        while not members.closed:
            time.sleep(0.01)
        return block

    with pytest.raises(BlockpointError, match="disk is full"):
        in_parallel(setup(members, 2), list(range(20)), work)
    assert len(begun) <= 3
    with pytest.raises(BlockpointError, match="taken down"):
        members.spawn("web", ["true"], members.folder / "log", {}, Pinning())


def drilled(runs: Path, *arguments: str) -> dict[tuple[str, str], Trial]:
    """Carry drills out in two jobs, where no latency counts, and so none is refused."""
    asked = [*arguments, "--jobs", "2", "--no-report", "--name", "d"]
    done = blockpoint("drill", *asked, runs=runs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every one accounted for" in done.stdout
    trials = open_campaign(runs / "d").trials()
    for trial in trials:
        assert trial.incident is not None
        assert sum(trial.incident.fates.values()) == trial.load.scheduled
        assert trial.incident.fates[Fate.UNACCOUNTED.label] == 0
    return {(trial.plan.drill, trial.plan.subject): trial for trial in trials if trial.valid}


def fate(trial: Trial, which: Fate) -> int:
    assert trial.incident is not None
    return trial.incident.fates[which.label]


@pytest.mark.e2e
def test_a_killed_web_process_takes_its_tasks_along_and_a_stopped_one_does_not(tmp_path: Path) -> None:
    trials = drilled(
        tmp_path, "kill-web", "stop-web", "client-reset", "--strategy", "background_tasks/default"
    )
    killed, stopped, reset = (
        trials[name, "background_tasks/default"] for name in ("kill-web", "stop-web", "client-reset")
    )
    assert killed.incident is not None
    assert fate(killed, Fate.LOST) >= 1
    assert fate(killed, Fate.COMPLETED) >= killed.incident.ended
    assert fate(stopped, Fate.LOST) == 0
    assert fate(reset, Fate.RAN_UNACCEPTED) == reset.load.unknown > 0
    assert not families(tmp_path)


@pytest.mark.e2e
def test_what_a_killed_child_ran_is_lost_unless_the_message_is_held_until_the_end(tmp_path: Path) -> None:
    trials = drilled(tmp_path, "kill-child", "--strategy", "celery/default", "--strategy", "celery/durable")
    assert fate(trials["kill-child", "celery/default"], Fate.LOST) == 1
    assert fate(trials["kill-child", "celery/durable"], Fate.LOST) == 0
    assert fate(trials["kill-child", "celery/durable"], Fate.STARTED_TWICE) >= 1


@pytest.mark.e2e
def test_a_killed_child_of_a_pool_takes_what_the_pool_held_along(tmp_path: Path) -> None:
    trials = drilled(tmp_path, "kill-child", "--strategy", "processpool", "--slots", "2")
    for variant in ("default", "tuned"):
        assert fate(trials["kill-child", f"processpool/{variant}"], Fate.LOST) >= 2
    assert fate(trials["kill-child", "processpool/default"], Fate.REJECTED) > 0
    assert fate(trials["kill-child", "processpool/tuned"], Fate.REJECTED) == 0


@pytest.mark.e2e
def test_a_worker_that_is_told_to_stop_starts_its_tasks_again_unless_it_waits_for_them(
    tmp_path: Path,
) -> None:
    trials = drilled(tmp_path, "stop-worker", "--strategy", "arq/tuned", "--strategy", "arq/durable")
    assert fate(trials["stop-worker", "arq/tuned"], Fate.STARTED_TWICE) >= 1
    assert fate(trials["stop-worker", "arq/durable"], Fate.STARTED_TWICE) == 0


@pytest.mark.e2e
@pytest.mark.parametrize("subject", ["celery_rabbitmq/durable"])
def test_what_a_dead_child_held_is_waited_for_though_the_broker_does_not_name_it(
    subject: str, tmp_path: Path
) -> None:
    rabbitmq()
    trial = drilled(tmp_path, "poison-kill", "--strategy", subject)["poison-kill", subject]
    assert fate(trial, Fate.LOST) == 0
    assert fate(trial, Fate.STARTED_TWICE) >= 1


@pytest.mark.e2e
def test_an_interrupted_campaign_of_drills_goes_on_with_the_rest(tmp_path: Path) -> None:
    arguments = ["drill", "client-reset", "--strategy", "inline", "--repeats", "3", "--jobs", "2"]
    process = started(*arguments, "--no-report", "--name", "d", runs=tmp_path)
    trials = tmp_path / "d" / "trials"

    def third_is_loading() -> bool:
        logs = trials.glob(".partial-0003-*/logs/generator.log")
        return any("All users spawned" in log.read_text() for log in logs)

    assert eventually(third_is_loading)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, said
    assert eventually(lambda: not families(tmp_path))
    sealed = {trial.plan.trial_id for trial in open_campaign(tmp_path / "d").trials()}
    assert 1 <= len(sealed) < 3
    wrong = blockpoint("run", "--resume", "d", runs=tmp_path)
    assert wrong.returncode == 2
    assert "blockpoint drill" in wrong.stderr
    resumed = blockpoint("drill", "--resume", "d", "--no-report", runs=tmp_path)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    valid = {trial.plan.trial_id for trial in open_campaign(tmp_path / "d").trials() if trial.valid}
    assert sealed < valid
    assert len(valid) == 3


def test_a_drill_that_concerns_nobody_says_so(tmp_path: Path) -> None:
    done = blockpoint("drill", "kill-child", "--strategy", "inline", runs=tmp_path)
    assert done.returncode == 2
    assert "concerns none of these strategies" in done.stderr
