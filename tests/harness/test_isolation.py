"""An installed blockpoint in a stranger's folder and shell: nothing of either reaches what is measured."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from celery import Celery

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.redis_broker import RedisBroker, embedded_redis
from results.schema import Trial
from results.store import Campaign, open_campaign

from .blockpoint import QUIET

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
WAITING = 20
"""messages of another application, in the queue that Celery uses by default"""
PACKAGES = ("results", "targets", "harness", "loadtests", "analysis", "celery", "uvicorn", "locust", "redis")
MODULES = ("harness/guardian", "harness/sampler", "psutil", "celeryconfig", "locust_plugins", "sitecustomize")
LOAD = ["--duration", "20ms", "--rate", "20", "--seconds", "2", "--repeats", "1", "--attempts", "1"]


@dataclass(frozen=True)
class Stranger:
    """A folder and a shell that are full of settings and modules of other programs."""

    folder: Path
    command: Path
    queue: str

    @property
    def ran(self) -> Path:
        """A file in which each module of the folder notes that it was imported."""
        return self.folder / "ran"

    def plant(self, folder: Path) -> None:
        """Put modules there that are named like ours and like the libraries', and files of settings."""
        note = f"open({str(self.ran)!r}, 'a').write(__file__ + '\\n')\n"
        for name in (*(f"{package}/__init__" for package in PACKAGES), *MODULES, "ipykernel_launcher"):
            path = folder / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(note)
        (folder / "locust.conf").write_text("run-time = 1s\n")
        (folder / ".locust.conf").write_text("run-time = 1s\n")
        (folder / "pyproject.toml").write_text('[tool.locust]\nrun-time = "1s"\n')
        (folder / ".env").write_text("WEB_CONCURRENCY=2\n")
        (folder / "matplotlibrc").write_text("text.usetex: True\n")

    def run(self, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        shell = {name: value for name, value in os.environ.items() if name != "BLOCKPOINT_RUNS"}
        poison = {
            "HOME": str(self.folder),
            "CELERY_BROKER_URL": self.queue,
            "CELERY_RESULT_BACKEND": self.queue,
            "WEB_CONCURRENCY": "2",
            "LOCUST_RUN_TIME": "1s",
            "http_proxy": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
        }
        return subprocess.run(
            [self.command, *arguments],
            env={**shell, **poison},
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the package, install it where our libraries can be found, and return its command."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [
        "wheel",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    subprocess.run([*pip, *wheel], check=True)
    venv.create(folder / "venv", symlinks=True)
    (site_packages,) = folder.glob("venv/lib/python*/site-packages")
    (site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib"))
    for name in PACKAGES[:5]:
        (site_packages / name).mkdir()
        (site_packages / name / "__init__.py").write_text("raise ImportError('this belongs to a service')\n")
    (built,) = folder.glob("*.whl")
    python = str(folder / "venv" / "bin" / "python")
    install = ["--python", python, "install", "--no-deps", "--no-index", "--ignore-installed", str(built)]
    subprocess.run([*pip, *install], check=True)
    return folder / "venv" / "bin" / "blockpoint"


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisBroker]:
    """Give a server in which another application's messages wait."""
    with (
        family() as members,
        embedded_redis(members, tmp_path_factory.mktemp("queue"), Pinning()) as broker,
    ):
        with Celery("another", broker=broker.url, set_as_current=False) as another:
            for number in range(WAITING):
                another.send_task("another.task", (number,))
        yield broker


@pytest.fixture(scope="module")
def stranger(command: Path, queue: RedisBroker, tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    found = Stranger(tmp_path_factory.mktemp("stranger"), command, queue.url)
    found.plant(found.folder)
    return found


@pytest.fixture(scope="module")
def measured(stranger: Stranger) -> tuple[Campaign, Trial]:
    """Measure one trial there; results go to the working directory, and not into a package of its owner's."""
    arguments = ["run", "--profile", "smoke", "--strategy", "celery/default", *LOAD, *QUIET]
    done = stranger.run(*arguments, "--name", "away", cwd=stranger.folder)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    campaign = open_campaign(stranger.folder / "blockpoint-runs" / "away")
    (trial,) = campaign.trials()
    return campaign, trial


def test_one_name_is_taken_in_an_environment_that_is_shared(command: Path) -> None:
    (record,) = command.parents[1].glob("lib/python*/site-packages/blockpoint-*.dist-info/RECORD")
    taken = {Path(line.split(",")[0]).parts[0] for line in record.read_text().splitlines()}
    assert {name for name in taken if not name.endswith(".dist-info")} == {"..", "blockpoint"}
    assert (record.parents[1] / "results" / "__init__.py").read_text().startswith("raise")


def test_a_dry_run_finds_its_profiles_and_imports_nothing_from_there(stranger: Stranger) -> None:
    done = stranger.run("run", "--profile", "smoke", "--dry-run", cwd=stranger.folder)
    assert done.returncode == 0, done.stderr
    assert "trials of profile smoke" in done.stdout
    assert not stranger.ran.exists(), stranger.ran.read_text()


def test_a_trial_takes_no_module_and_no_setting_from_there(
    stranger: Stranger, measured: tuple[Campaign, Trial], queue: RedisBroker
) -> None:
    campaign, trial = measured
    assert not stranger.ran.exists(), stranger.ran.read_text()
    bindings = {b"_kombu.binding.celery", b"_kombu.binding_permanent.celery"}
    keys = set(queue.client.keys())
    assert {b"celery"} == keys - bindings
    assert keys & bindings
    assert queue.client.llen("celery") == WAITING
    assert not trial.load.interrupted
    assert trial.accounts.finished == trial.accounts.accepted == trial.load.scheduled > 0
    resources = campaign.table(trial, "resources")
    web = np.asarray(resources["role"].to_pylist()) == "web"
    assert np.asarray(resources["processes"])[web].max() == 1


def test_a_report_of_a_strangers_campaign_runs_nothing_of_it(
    stranger: Stranger, measured: tuple[Campaign, Trial]
) -> None:
    folder = measured[0].folder
    stranger.plant(folder)
    done = stranger.run("report", ".", "--notebooks", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "could not be executed" not in done.stdout
    assert not stranger.ran.exists(), stranger.ran.read_text()
    for path in (folder / "report" / "notebooks").glob("*.ipynb"):
        assert any(cell.get("outputs") for cell in json.loads(path.read_text())["cells"])
