"""A task of the user's own, from the command line to the processes that run it."""

import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.campaign.own_record import record, recorded_settings
from harness.campaign.own_task import Own
from harness.campaign.own_words import lines
from harness.target.environments import OWN
from harness.target.overlays import held_by, overlay_of
from harness.target.own import TaskWish, beside, look_for
from harness.target.uv import NoEnvironmentError
from results.errors import BlockpointError
from results.schema import Demand, Manifest
from results.terms import KINDS
from targets.registry import find
from targets.settings import Settings
from targets.timing.found import Lane, Phase, Timed

from .blockpoint import blockpoint

PHASE = Phase.of([Lane([20.0, 30.0], began_s=1.0, ended_s=1.05)], failures=0)
TIMED = Timed(alone=PHASE, side_by_side=PHASE, in_processes=PHASE, gil=0.25, cores=0.75, loop=1.0)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder that has a module `usertasks` and a package `elsewhere/deep.py`."""
    (tmp_path / "usertasks.py").write_text("def go(number=0): return number\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "deep.py").write_text("def go(): ...\n")
    (tmp_path / "args.jsonl").write_text("[1]\n[2]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(name: str = "usertasks:go", **given: Any) -> TaskWish:
    usual = {"args": "", "packages": (), "folders": (), "environment": "", "limit_s": 60.0}
    return TaskWish.asked(name, **{**usual, **given})


def test_the_working_directory_serves_only_where_the_module_lies_there(project: Path) -> None:
    def folder(name: str, **given: Any) -> str:
        return asked(name, **given).settings(Settings(), 1).own_folder

    assert folder("usertasks:go") == folder("elsewhere.deep:go") == str(project)
    assert folder("json:dumps") == folder("targets.work:perform") == folder("an-entry-point") == ""
    assert folder("usertasks:go", folders=(".",)) == ""


def test_folders_and_an_environments_packages_come_after_ours_in_that_order(project: Path) -> None:
    site = project / "theirs" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    settings = asked(folders=("elsewhere",), environment="theirs").settings(Settings(), 7)
    assert settings.own_path.split(os.pathsep) == [str(project / "elsewhere"), str(site)]
    assert (settings.own_seed, settings.own_task) == (7, "usertasks:go")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"args": "nowhere.jsonl"}, "cannot read .*nowhere.jsonl: No such file"),
        ({"folders": ("nowhere",)}, "--task-path nowhere is no folder"),
        ({"environment": "elsewhere"}, "is no virtual environment"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_is_not_there_is_one_line(given: dict[str, Any], line: str) -> None:
    with pytest.raises(BlockpointError, match=line):
        asked(**given).settings(Settings(), 1)


def test_an_environment_of_another_python_is_refused_with_what_to_ask_for(project: Path) -> None:
    (project / "old" / "lib" / "python3.9" / "site-packages").mkdir(parents=True)
    with pytest.raises(
        BlockpointError, match=r"has python3.9, and inline runs in python3.*: ask for --python 3.9"
    ):
        asked(environment="old").check("inline")


def wheel(folder: Path, name: str, *requires: str) -> str:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"{name}.py", "def go(): ...\n")
        packed.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}")
        packed.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        packed.writestr(f"{info}/RECORD", "")
    return str(path)


def test_packages_are_installed_beside_a_strategys_own_and_found_after_them(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.target.overlays.environments_folder", lambda: project / "made")
    packages = (wheel(project, "greeting"),)
    settings = beside(Settings(own_path="/theirs"), "inline", packages)
    overlay, last = settings.own_path.split(os.pathsep)
    assert last == "/theirs"
    assert overlay == overlay_of("inline", packages)
    assert Path(overlay, "greeting.py").exists()
    look_for(asked("greeting:go", packages=packages), "inline")
    assert beside(Settings(), "inline", ()) == Settings()


def test_packages_that_need_another_version_than_a_strategys_are_refused_in_one_line(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.target.overlays.environments_folder", lambda: project / "made")
    (held,) = (line for line in held_by(OWN) if line.startswith("fastapi=="))
    with pytest.raises(NoEnvironmentError, match="the environment of inline with stubborn") as no:
        overlay_of("inline", (wheel(project, "stubborn", "fastapi==0.1.0"),))
    assert "fastapi" in str(no.value)
    assert held in held_by(OWN)


def test_what_cannot_be_imported_beside_a_strategy_is_the_last_line_of_its_traceback(project: Path) -> None:
    (project / "usertasks.py").write_text("import nowhere\n")
    with pytest.raises(BlockpointError, match=r"No module named 'nowhere' \(usertasks.py:1\)$") as no:
        look_for(asked(), "inline")
    assert "\n" not in str(no.value)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"cores": 0.75}, "own_compute"),
        ({"cores": 0.25}, "own_wait"),
        ({"cores": 0.25, "queued": 0.75}, "own_compute"),
        ({"cores": 0.1, "queued": 0.75}, "own_wait"),
        ({"cores": 0.75, "awaited": True}, "own_await"),
    ],
)
@pytest.mark.usefixtures("project")
def test_what_was_timed_becomes_a_kind_a_duration_and_a_demand(more: dict[str, Any], kind: str) -> None:
    own = Own(asked(), asked().settings(Settings(own_gil=0.25), 1), Timed(alone=PHASE, **more), "inline", 1)
    assert (own.kind, own.duration_ms) == (kind, 25.0)
    services = find("background_tasks").subject("default", own.on(Settings())).services
    assert [name for name, service in services.items() if service.demand] == [
        name for name, told in KINDS.items() if told.own
    ]
    assert services[kind].demand == Demand(gil=0.25, cores=0.0, loop=0.0)


@pytest.mark.parametrize(("queued", "says"), [(0.05, False), (0.4, True)])
@pytest.mark.usefixtures("project")
def test_a_task_that_waited_for_a_core_was_not_timed_alone(queued: float, says: bool) -> None:
    timed = msgspec.structs.replace(TIMED, queued=queued)
    told = "\n".join(lines(Own(asked(), Settings(), timed, "inline", 1)))
    assert ("waited for a core for 40% of it" in told) == says


def manifest(environment: dict[str, Any]) -> Manifest:
    return Manifest(
        campaign="mine",
        created_at="",
        command=[],
        profile="smoke",
        seed=1,
        topology=["one-box"],
        loop="uvloop",
        http="httptools",
        subjects=[],
        plans=[],
        calibration={},
        pinning={},
        environment=environment,
    )


@pytest.mark.usefixtures("project")
def test_a_campaign_is_gone_on_with_only_where_its_task_is_asked_for_again() -> None:
    wish = asked(args="args.jsonl")
    timed = msgspec.structs.replace(TIMED, source_sha256=look_for(wish, "inline"))
    own = Own(wish, replace(wish.settings(Settings(), 5), own_gil=0.25, own_loop=1.0), timed, "inline", 1)
    begun = manifest(record(own))
    assert recorded_settings(Settings(slots=8), begun, wish) == replace(own.settings, slots=8)
    assert recorded_settings(Settings(), manifest({}), None) == Settings()
    for other, line in (
        (None, "mine measures --task usertasks:go: give it again"),
        (asked("elsewhere.deep:go", args="args.jsonl"), "another task: its task is not the same"),
        (asked(), "another task: its args_sha256 is not the same"),
    ):
        with pytest.raises(BlockpointError, match=line):
            recorded_settings(Settings(), begun, other)
    with pytest.raises(BlockpointError, match="mine was begun without --task"):
        recorded_settings(Settings(), manifest({}), wish)
    changed = manifest(record(replace(own, timed=msgspec.structs.replace(TIMED, source_sha256="0"))))
    with pytest.raises(BlockpointError, match="mine was begun with other code of usertasks:go"):
        recorded_settings(Settings(), changed, wish)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--task", "x:y", "--kind", "cpu"], "--task has its own kind and durations: leave --kind away"),
        (["--task-args", "a.jsonl"], "name your task, too: --task mypkg.tasks:thumbnail"),
        (["--kind", "own_wait"], "own_wait is a task of your own: name it with --task instead"),
        (
            ["--task", "nowhere:go"],
            "--task nowhere:go: cannot import nowhere: ModuleNotFoundError",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line_before_anything_runs(
    options: list[str], line: str, tmp_path: Path
) -> None:
    done = blockpoint("find", "--dry-run", "--strategy", "inline", *options, runs=tmp_path)
    assert done.returncode == 2
    assert line in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
