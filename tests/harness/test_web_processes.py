"""Several uvicorn workers: which are up, and that all tasks of all of them are accounted for."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.target import Launch, Target, running_target
from loadtests.openloop.address import resolve
from loadtests.openloop.client import CONNECTIONS
from loadtests.openloop.spread import spread
from results.schema import Manifest, Trial
from results.store import open_campaign
from results.tables import read_table
from results.terms import Fate
from targets.settings import Settings
from tests.harness.blockpoint import QUIET, blockpoint, eventually

pytestmark = pytest.mark.e2e

SETTINGS = Settings(web_processes=2, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with (
        family() as members,
        running_target(
            Launch(members, Pinning(), SETTINGS), "background_tasks", "default", tmp_path
        ) as running,
    ):
        yield running


def test_it_is_up_once_every_worker_is(target: Target) -> None:
    (parent,) = target.web
    assert len(target.web_pids()) == 2
    assert parent.pid not in target.web_pids()
    assert target.preflight("sleep")["conditions"]["web_processes"] == 2


def test_each_worker_gets_its_share_of_the_connections(target: Target) -> None:
    opened = spread(resolve(target.url), 2, CONNECTIONS, seed=1)
    assert len(opened) == CONNECTIONS
    for each in opened:
        each.close()


def test_a_worker_that_dies_is_replaced_and_the_target_is_whole_again(target: Target) -> None:
    first = target.web_pids()
    killed = min(first)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: killed not in target.web_pids() and len(target.web_pids()) == 2)
    assert len(first & target.web_pids()) == 1


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, Trial, Path]:
    runs = tmp_path_factory.mktemp("runs")
    asked = ["--strategy", "background_tasks/default", "--duration", "20ms", "--rate", "100"]
    conditions = ["--workers", "2", "--middleware", "--anyio-tokens", "7"]
    options = ["--seconds", "3", "--repeats", "1", "--attempts", "1", "--name", "two", *QUIET]
    ran = blockpoint("run", *asked, *conditions, *options, runs=runs)
    assert ran.returncode in {0, 1}, ran.stderr
    campaign = open_campaign(runs / "two")
    (trial,) = campaign.trials()
    return campaign.manifest, trial, campaign.folder_of(trial)


def test_the_conditions_are_recorded_and_kept_out_of_what_a_trial_repeats(
    measured: tuple[Manifest, Trial, Path],
) -> None:
    manifest, trial, _ = measured
    wanted = {"web_processes": 2, "middleware": True, "anyio_tokens": 7, "gil": True}
    assert manifest.conditions == wanted
    assert "conditions" not in trial.load.identity


def test_two_pools_are_two_pools(measured: tuple[Manifest, Trial, Path]) -> None:
    _, trial, _ = measured
    assert trial.service is not None
    assert (trial.service.slots, trial.service.pools, trial.ceiling_per_s) == (14, 2, 700)


def test_every_task_of_every_worker_is_accounted_for(measured: tuple[Manifest, Trial, Path]) -> None:
    _, trial, folder = measured
    accounts = trial.accounts
    assert accounts.accepted == accounts.finished > 200
    assert (accounts.unaccounted, accounts.strangers) == (0, 0)
    busiest, other = trial.spread
    assert busiest + other == accounts.accepted
    assert other > accounts.accepted / 4
    roles = read_table(folder, "resources").to_pandas().groupby("role")["processes"].max()
    assert roles["web"] >= 3


def test_the_tasks_of_a_killed_worker_are_lost_and_those_of_the_other_are_not(tmp_path: Path) -> None:
    asked = ["kill-web-worker", "--strategy", "background_tasks/default", "--workers", "2"]
    more = ["--name", "drilled", "--anyio-tokens", "2", "--no-report", "--quiet-wait", "0"]
    drilled = blockpoint("drill", *asked, *more, "--max-foreign-cores", "1024", runs=tmp_path)
    assert drilled.returncode == 0, drilled.stdout + drilled.stderr
    (trial,) = open_campaign(tmp_path / "drilled").trials()
    assert trial.incident is not None
    (struck,) = trial.incident.struck
    assert struck not in trial.survivors
    assert trial.incident.fates[Fate.UNACCOUNTED.label] == 0
    assert trial.incident.fates[Fate.LOST.label] > 0
    assert trial.incident.fates[Fate.COMPLETED.label] > trial.incident.fates[Fate.LOST.label]
