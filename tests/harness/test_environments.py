"""Each strategy runs with its own libraries, in the versions asked for."""

import sys
from pathlib import Path

import pytest

from harness.target import environments
from harness.target.declarations import declared, subject
from harness.target.environments import OWN, environment_of
from harness.target.uv import NoEnvironmentError
from harness.target.versions import Pinned
from results.errors import BlockpointError
from results.store import open_campaign
from targets.settings import Settings
from tests.harness.blockpoint import QUIET, blockpoint
from tests.strategies import told

BARE = environments.Environment("/bin/false", "bare")
HEAVY = ("pandas", "pyarrow", "locust", "matplotlib")
"""what a target has no need of"""


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("celery", Pinned("celery")),
        ("celery@5.6.3", Pinned("celery", "5.6.3")),
        ("celery@5.6.3,kombu=5.6.2", Pinned("celery", "5.6.3", {"kombu": "5.6.2"})),
        ("inline@fastapi==0.120.0", Pinned("inline", "", {"fastapi": "0.120.0"})),
        ("inline@python=3.14t", Pinned("inline", "", {"python": "3.14t"})),
        ("inline@Typing_Extensions=4.15.0rc1", Pinned("inline", "", {"typing-extensions": "4.15.0rc1"})),
    ],
)
def test_versions_are_read(name: str, parsed: Pinned) -> None:
    assert Pinned.parse(name) == parsed


@pytest.mark.parametrize(
    "name", ["celery@", "celery@new", "celery@5.6,", "celery@kombu=", "inline@=1", "x@1 2"]
)
def test_what_is_no_version_is_refused(name: str) -> None:
    with pytest.raises(BlockpointError, match="is no version; write"):
        Pinned.parse(name)


def test_a_package_that_is_not_there_is_answered_with_the_nearest() -> None:
    with pytest.raises(BlockpointError, match="did you mean 'kombu'"):
        environment_of("celery@kombo=5.6.2")
    with pytest.raises(BlockpointError, match="inline has no library of its own"):
        environment_of("inline@1.0")


def test_what_needs_only_the_web_framework_runs_in_ours() -> None:
    assert environment_of("inline") == environment_of("threadpool") == OWN


QUEUES = ["celery", "arq", "taskiq", "dramatiq", "rq"]


@pytest.mark.parametrize("name", QUEUES)
def test_a_queue_has_its_library_and_nothing_of_the_harness(name: str) -> None:
    found = told(name, f"import {name}, importlib.util as u; print([n for n in {HEAVY} if u.find_spec(n)])")
    assert found.strip() == "[]"
    assert environment_of(name).python != sys.executable
    locked = subject(name, "default", Settings()).versions
    assert name in locked
    assert "pandas" not in locked


def test_the_web_stack_is_the_same_in_every_environment() -> None:
    versions = [subject(name, "default", Settings()).versions for name in QUEUES]
    ours = told("inline", "from importlib.metadata import version as v; print(v('fastapi'), v('uvicorn'))")
    assert {f"{each['fastapi']} {each['uvicorn']}" for each in versions} == {ours.strip()}


def test_a_version_that_was_asked_for_is_the_one_that_runs() -> None:
    pinned = subject("inline@fastapi=0.121.0", "default", Settings())
    assert (pinned.key, pinned.versions["fastapi"]) == ("inline@fastapi=0.121.0/default", "0.121.0")
    assert environment_of("inline@fastapi=0.121.0") == environment_of("inline@fastapi==0.121.0")


@pytest.mark.parametrize("name", ["celery@99.1", "inline@fastapi=0.1.0", "inline@python=3.5"])
def test_what_cannot_be_had_is_one_line(name: str) -> None:
    with pytest.raises(NoEnvironmentError, match=f"the environment of {name} cannot be made: ") as refusal:
        environment_of(name)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 600


def test_a_library_that_fails_to_load_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.target.declarations.environment_of", lambda _: BARE)
    with pytest.raises(BlockpointError, match="strategy celery cannot be described in its environment"):
        declared("celery", "tuned", Settings())


@pytest.mark.e2e
def test_one_that_cannot_be_made_leaves_the_others_running(tmp_path: Path) -> None:
    done = blockpoint(
        *("run", "--profile", "smoke", "--strategy", "inline/default", "--strategy", "celery@99.1/tuned"),
        *("--rate", "20", "--seconds", "1", "--duration", "10ms", "--name", "one", *QUIET),
        runs=tmp_path,
    )
    assert "warning: left out: the environment of celery@99.1 cannot be made" in done.stderr
    campaign = open_campaign(tmp_path / "one")
    assert list(campaign.manifest.left_out) == ["celery@99.1/tuned"]
    assert {trial.plan.subject for trial in campaign.trials()} == {"inline/default"}


@pytest.mark.e2e
def test_a_version_that_was_asked_for_is_measured_beside_the_locks(tmp_path: Path) -> None:
    subjects = ("inline@uvicorn=0.38.0/default", "inline/default")
    blockpoint(
        *("run", "--profile", "smoke", *(word for name in subjects for word in ("--strategy", name))),
        *("--rate", "20", "--seconds", "1", "--duration", "10ms", "--name", "both", *QUIET),
        runs=tmp_path,
    )
    measured = {trial.plan.subject for trial in open_campaign(tmp_path / "both").trials()}
    assert measured == set(subjects)
