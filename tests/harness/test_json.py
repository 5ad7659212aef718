"""`--json`: one document on standard output with the keys that docs/json.md shows, and all else beside it."""

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.campaign.own_record import record
from harness.campaign.own_task import Own
from harness.cli.main import blockpoint as command_line
from harness.commands.check import CheckCommand, CheckRequest
from harness.commands.drill import DrillCommand, DrillRequest
from harness.commands.run import RunCommand, RunRequest
from harness.target.own import TaskWish
from harness.terminal import document, exits
from results.findings import TargetHost
from results.store import open_campaign
from results.terms import Fate
from targets.settings import Settings
from targets.timing.found import Lane, Phase, Timed
from tests.analysis.synthetic import Cell, amend, build
from tests.analysis.synthetic_drills import DrillCell, build_drills
from tests.analysis.synthetic_service import build_service

from .asked import COMMON, POOL, SELECTED, concluded, elsewhere, finding, searched
from .blockpoint import QUIET, blockpoint
from .inside import inside

DOCS = Path(__file__).parents[2] / "docs" / "json.md"
BY_NAME = {"questions", "tasks_by_fate", "versions", "requests", "p99_ms"}
"""keys whose values are named by what there is"""


def examples() -> dict[str, Any]:
    """Return the documents that the page shows, by command."""
    blocks = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    return {_name(shown): shown for shown in map(json.loads, blocks)}


def _name(told: dict[str, Any]) -> str:
    """Return the command, and after it `service` where it is of one; of a part its key."""
    command = str(told.get("command", next(iter(told))))
    return f"{command} service" if "service" in told else command


def keys(told: Any, path: str = "") -> Iterator[str]:
    """Yield every key as a path; entries of a list, and what is named by what there is, share theirs."""
    if isinstance(told, dict):
        for key, value in told.items():
            named = path.rpartition(".")[2] in BY_NAME
            yield from keys(value, f"{path}.*" if named else f"{path}.{key}")
    elif isinstance(told, list):
        for value in told:
            yield from keys(value, path)
    yield path


def find(folder: Path) -> int:
    return concluded(finding(), searched(folder, 20, 60))


def run(folder: Path) -> int:
    campaign, _ = build(folder, [Cell("celery", [(rate, 3, 50)], service=POOL) for rate in (20, 60)])
    return concluded(RunCommand(RunRequest(**COMMON | SELECTED, rates_per_s=(), repeats=None)), campaign)


def drill(folder: Path) -> int:
    asked = {"names": (), "strategies": (), "variants": (), "repeats": 1, "spread": False, "jobs": 1}
    cells = [DrillCell("kill-web", "background_tasks", then="loses")]
    command = DrillCommand(DrillRequest(**COMMON | asked, attempts=None))
    return concluded(command, build_drills(folder, cells))


def check(folder: Path) -> int:
    asked = {"strategy": "celery", "kind": "sleep", "duration_ms": 50.0, "topology": "one-box"}
    asked |= {"rate_per_s": None, "fraction": 0.5, "seconds": 5.0, "pairs": 2, "attempts": 2}
    cells = [
        Cell("celery", [(40, 4, 50)], service=POOL, seed=n // 2, repeat=n) for n in range(2 * asked["pairs"])
    ]
    return concluded(CheckCommand(CheckRequest(**COMMON | asked)), build(folder, cells)[0])


@pytest.mark.parametrize("command", [find, run, drill, check], ids=lambda each: each.__name__)
def test_a_campaign_is_told_with_the_documented_keys(
    command: Callable[[Path], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = command(tmp_path / "campaign")
    told = json.loads(capsys.readouterr().out)
    assert set(keys(told)) == set(keys(examples()[command.__name__]))
    assert (told["command"], told["campaign"], told["exit_code"]) == (command.__name__, "campaign", code)


def test_a_task_of_ones_own_is_told_with_the_documented_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = searched(tmp_path / "campaign", 20, 60)
    phase = Phase.of([Lane([20.0, 30.0], began_s=1.0, ended_s=1.05)], failures=0)
    timed = Timed(alone=phase, side_by_side=phase, in_processes=phase)
    own = Own(TaskWish("pictures:thumbnail"), Settings(own_gil=0.25), timed, "celery", 1)
    amend(campaign, environment={**campaign.manifest.environment, **record(own)})
    concluded(finding(), open_campaign(campaign.folder))
    told = json.loads(capsys.readouterr().out)
    assert set(keys({"task": told["task"]})) == set(keys(examples()["task"]))
    assert told["task"]["alone"]["mean_ms"] == 25
    assert told["task"]["holds"]["gil"] == 0.25


def test_how_a_service_is_served_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    concluded(finding(), build_service(tmp_path / "shop", 40, 100))
    conditions = json.loads(capsys.readouterr().out)["conditions"]
    assert conditions.pop("subjects") == [{"subject": "shop/service", "versions": {}}]
    assert set(conditions.values()) == {None}


@pytest.mark.parametrize("command", ["list", "doctor"])
def test_what_starts_nothing_is_told_with_the_documented_keys(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(inside(monkeypatch, capsys, command, "--json").out)
    assert set(keys(told)) == set(keys(examples()[command]))


def test_every_command_that_finds_something_has_the_option_and_an_example() -> None:
    having = {
        name for name, each in command_line.commands.items() if "as_json" in {p.name for p in each.params}
    }
    assert (
        having
        == {name.removesuffix(" service") for name in examples()} - {"agent", "task"}
        == {*("find", "run", "drill", "check", "plan", "compare", "verify", "list", "doctor")}
    )


@pytest.mark.parametrize("command", ["find", "run", "drill"])
def test_a_dry_run_tells_what_is_planned(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = inside(monkeypatch, capsys, command, "--dry-run", "--json", "--strategy", "inline")
    told = json.loads(said.out)
    assert (told["command"], told["dry_run"], said.code) == (command, True, 0)
    assert {entry["subject"] for entry in told["planned"]} == {"inline/default"}
    assert "inline/default" in said.err


def test_an_error_is_no_document(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = inside(monkeypatch, capsys, "find", "--json", "--profile", "quik")
    assert (said.code, said.out) == (exits.ERROR, "")
    assert said.err.startswith("error: ")


def test_a_search_tells_each_answer_and_how_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    find(tmp_path / "held")
    told = json.loads(capsys.readouterr().out)
    (point,) = told["points"]
    work = point["questions"]["saturation"]
    assert (point["subject"], point["duration_ms"], point["slots"], point["trials"]) == (
        "celery/default",
        50,
        4,
        2,
    )
    assert (work["held_per_s"], work["failed_per_s"]) == (60, None)
    assert (work["ending"], work["answered"]) == ("the highest rate tried", True)
    assert (told["answered"], told["unanswered"]) == (2, 0)


def test_conditions_are_told_and_the_packages_that_each_subject_ran_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = searched(tmp_path / "pair", 20, 60)
    (ours,) = campaign.manifest.subjects
    other = msgspec.structs.replace(ours, variant="tuned", versions={"celery": "5.7.0"})
    amend(campaign, subjects=[ours, other], middleware=True, web_processes=2, anyio_tokens=100)
    concluded(finding(), open_campaign(campaign.folder))
    told = json.loads(capsys.readouterr().out)["conditions"]
    subjects = {each["subject"]: each["versions"] for each in told.pop("subjects")}
    assert told == {
        "web_processes": 2,
        "middleware": True,
        "anyio_tokens": 100,
        "gil": True,
        "slots": 40,
        "loop": "uvloop",
        "http": "httptools",
        "python": None,
        "agent": None,
    }
    assert subjects["celery/tuned"] == {"celery": "5.7.0"}
    assert subjects["celery/default"] == campaign.manifest.environment["packages"]


def test_targets_elsewhere_are_told_with_the_agents_host_and_its_clock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    campaign = elsewhere(
        tmp_path / "far",
        TargetHost(host="web-1", boot_id="b", offset_ns=1_000_000_020_000, uncertainty_ns=160_000),
        TargetHost(host="web-1", boot_id="b", offset_ns=1_000_000_040_000, uncertainty_ns=90_000),
        TargetHost(host="web-1", boot_id="b", offset_ns=1_000_000_060_000, joined=False),
    )
    concluded(RunCommand(RunRequest(**COMMON | SELECTED, rates_per_s=(), repeats=None)), campaign)
    told = json.loads(capsys.readouterr().out)["conditions"]["agent"]
    assert set(keys({"agent": told})) == set(keys(examples()["agent"]))
    assert told == {
        "host": "web-1",
        "address": "http://10.0.0.7:8700",
        "clock_ahead_s": 1000.0,
        "clock_uncertainty_ms": 0.16,
        "trials_not_joined": 1,
    }


def test_drills_are_counted_by_fate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drill(tmp_path / "lost")
    (told,) = json.loads(capsys.readouterr().out)["drills"]
    counted = told["tasks_by_fate"]
    assert (told["drill"], told["subject"], told["repeats"]) == ("kill-web", "background_tasks/default", 1)
    assert set(counted) == {fate.label for fate in Fate}
    assert counted["lost"] > 0
    assert told["accepted_tasks"] == counted["lost"] + counted["completed"]


@pytest.mark.parametrize(
    ("value", "told", "how"),
    [
        (2.5, 2.5, "finite"),
        (math.inf, None, "infinite"),
        (math.nan, None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_number_that_json_has_not_is_null_and_a_word(
    value: float | None, told: float | None, how: str
) -> None:
    assert document.number("rate_per_s", value) == {"rate_per_s": told, "rate_per_s_is": how}


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_what_slips_through_is_no_document(value: float, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        document.write("find", {"held_per_s": value})
    assert capsys.readouterr().out == ""


@pytest.mark.e2e
def test_standard_output_is_one_document_and_progress_goes_beside_it(tmp_path: Path) -> None:
    asked = ["--profile", "smoke", "--strategy", "inline", "--duration", "10ms", "--max-rate", "60"]
    done = blockpoint("find", *asked, "--max-trials", "1", "--json", "--name", "x", *QUIET, runs=tmp_path)
    told = json.loads(done.stdout)
    assert set(keys(told)) == set(keys(examples()["find"]))
    assert done.returncode == told["exit_code"] == (exits.UNANSWERED if told["unanswered"] else exits.DONE)
    assert f"campaign {tmp_path / 'x'}: 1 points" in done.stderr
    assert re.search(r"^inline/default +", done.stderr, re.MULTILINE)
