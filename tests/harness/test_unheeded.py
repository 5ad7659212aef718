"""A setting that changes nothing of what is measured is said, in one line and before anything runs."""

import json
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.campaign.unheeded import DECLARED, heeds, unheeded
from harness.commands.serve import _settings
from harness.search.profiles import SEARCHES, points
from harness.target.broker import free_port
from harness.target.declarations import subject
from harness.target.placement import BY_RULE
from results.store import open_campaign
from results.terms import Moment
from targets.settings import STARTERS, Settings, variable

from .blockpoint import QUIET, blockpoint, started
from .inside import inside

USED = {
    "slots": {"background_tasks/tuned", "threadpool/tuned", "celery/tuned", "celery/durable", "arq/tuned"},
    "anyio_tokens": {"background_tasks/default"},
    "visibility_s": {"celery/default", "celery/tuned", "celery/durable"},
    "job_timeout_s": {"arq/tuned"},
    "cores": {"celery/tuned", "celery/durable"},
}
SUBJECTS = sorted({*set().union(*USED.values()), "inline/default", "background_tasks_async/default"})


@pytest.mark.parametrize("name", DECLARED)
def test_what_a_variant_makes_use_of_is_found_out(name: str) -> None:
    assert {subject for subject in SUBJECTS if heeds(subject, Settings(), name)} == USED[name]


def test_each_setting_has_one_line_that_names_whom_it_does_not_concern() -> None:
    asked = {"slots": "--slots 100", "anyio_tokens": "--anyio-tokens 9", "drills": "BLOCKPOINT_DRILLS=1"}
    subjects = ["inline/default", "background_tasks/default", "background_tasks/tuned"]
    slots, tokens = unheeded(Settings(slots=100, anyio_tokens=9), asked, subjects)
    assert slots.startswith(
        "note: --slots 100 has no effect on the tasks of inline/default, background_tasks/d"
    )
    assert slots.endswith("; --anyio-tokens sets the slots of background_tasks/default")
    idle = "inline/default, background_tasks/tuned"
    assert tokens == f"note: --anyio-tokens 9 has no effect on the tasks of {idle}"


@pytest.mark.parametrize(
    ("command", "noted"),
    [
        (["find", "--strategy", "background_tasks/default", "--slots", "100"], "--slots 100"),
        (["find", "--strategy", "background_tasks/default", "--slots", "40"], "--slots 40"),
        (["find", "--strategy", "background_tasks/default", "--anyio-tokens", "100"], ""),
        (["find", "--strategy", "background_tasks/tuned", "--slots", "100"], ""),
        (["run", "--strategy", "celery/tuned", "--anyio-tokens", "9"], "--anyio-tokens 9"),
        (["drill", "kill-web", "--strategy", "inline"], ""),
        (["drill", "kill-web", "--strategy", "inline", "--slots", "4"], "--slots 4"),
    ],
)
def test_an_option_that_changes_nothing_is_said(
    command: list[str], noted: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = inside(monkeypatch, capsys, *command, "--dry-run")
    assert done.code == 0
    assert done.err.startswith(f"note: {noted} has no effect on the tasks of" if noted else "")
    assert done.err.count("\n") == bool(noted)


def test_a_variable_for_targets_is_said_not_to_concern_campaigns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BLOCKPOINT_VISIBILITY_S", "12")
    done = inside(monkeypatch, capsys, "find", "--dry-run", "--strategy", "celery/tuned")
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert done.err.startswith("note: BLOCKPOINT_VISIBILITY_S has no effect: campaigns take options")


def test_tokens_move_what_theory_expects_of_tasks_and_bystanders() -> None:
    profile = replace(SEARCHES["standard"], durations_ms=(200.0,))
    for tokens in (40, 100):
        (point,) = points(profile, ["background_tasks/default"], Settings(anyio_tokens=tokens), BY_RULE)
        assert point.saturation_per_s == tokens / 0.2
        assert point.blocking_per_s is not None
        assert 0.9 < point.blocking_per_s / point.saturation_per_s < 1
    (point,) = points(profile, ["threadpool/tuned"], Settings(anyio_tokens=100), BY_RULE)
    assert (point.saturation_per_s, point.blocking_per_s) == (200, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("slots", 7),
        ("anyio_tokens", 8),
        ("cores", 3),
        ("units_per_ms_cpu", 1.5),
        ("units_per_ms_cpu_native", 2.5),
        ("visibility_s", 12.0),
        ("job_timeout_s", 13.0),
        ("drills", True),
    ],
)
def test_a_target_in_the_foreground_takes_every_variable(
    name: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(name), str(int(value) if value is True else value))
    settings, wishes = _settings({}, {"slots": 40, "anyio_tokens": 40})
    assert getattr(settings, name) == value
    assert list(wishes) == [name]
    for starter in STARTERS:
        monkeypatch.setenv(variable(starter), "mine")
    assert _settings({}, {})[0] == settings


def test_an_option_goes_before_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKPOINT_SLOTS", "7")
    monkeypatch.setenv("BLOCKPOINT_VISIBILITY_S", "12")
    settings, wishes = _settings({"slots": "--slots 9"}, {"slots": 9, "anyio_tokens": 40})
    assert (settings.slots, settings.visibility_s) == (9, 12)
    assert wishes == {"slots": "--slots 9", "visibility_s": "BLOCKPOINT_VISIBILITY_S=12"}
    assert subject("celery", "durable", settings).window_s == 12


@pytest.mark.e2e
def test_a_served_target_has_the_window_of_its_variable(tmp_path: Path) -> None:
    port = free_port()
    asked = ("serve", "celery", "durable", "--slots", "2", "--port", str(port))
    running = started(*asked, runs=tmp_path, BLOCKPOINT_VISIBILITY_S="12", BLOCKPOINT_JOB_TIMEOUT_S="3")
    try:
        assert running.stdout
        lines = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(running.stdout.readline())
            assert lines[-1], lines
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10) as reply:
            subject = json.load(reply)["subject"]
    finally:
        running.terminate()
        running.communicate(timeout=60)
    assert (subject["window_s"], subject["services"]["sleep"]["slots"]) == (12, 2)
    assert lines[0] == "note: BLOCKPOINT_JOB_TIMEOUT_S=3 has no effect on the tasks of celery/durable\n"


@pytest.mark.e2e
def test_no_more_tasks_are_in_service_than_there_are_tokens(tmp_path: Path) -> None:
    load = ["--profile", "smoke", "--duration", "100ms", "--rate", "60", "--seconds", "1", *QUIET]
    tokens = ["--strategy", "background_tasks/default", "--anyio-tokens", "3", "--name", "three"]
    done = blockpoint("run", *load, *tokens, runs=tmp_path)
    campaign = open_campaign(tmp_path / "three")
    (trial,) = campaign.trials()
    assert campaign.manifest.anyio_tokens == 3
    assert campaign.manifest.subjects[0].settings == {"anyio_tokens": 3}
    assert trial.ceiling_per_s == 30, done.stderr
    events = campaign.table(trial, "events")
    moments, at_ns = (events[column].to_numpy() for column in ("moment", "at_ns"))
    ran = np.isin(moments, (Moment.STARTED, Moment.FINISHED))
    steps = np.where(moments[ran] == Moment.STARTED, 1, -1)[np.argsort(at_ns[ran], kind="stable")]
    assert np.cumsum(steps).max() == 3
