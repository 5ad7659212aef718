"""`plan`, `compare` and `verify` as they are called: documents, exit codes, one line for what is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.terminal import exits
from results.store import Campaign
from tests.analysis.synthetic import Cell, amend, build
from tests.analysis.synthetic_service import build_service

from .inside import Said, inside
from .test_json import POOL, examples, keys

DEMAND = ("plan", "--rate", "60", "--duration", "250ms", "--peak", "10")


def made(folder: Path) -> Campaign:
    cells = [
        Cell("celery", [(rate, 4, 50)], service=POOL, seed=seed, repeat=seed)
        for rate in (30, 60)
        for seed in range(2)
    ]
    return build(folder, cells)[0]


@pytest.fixture
def campaign(tmp_path: Path) -> str:
    return str(made(tmp_path / "made").folder)


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def called(*arguments: str) -> Said:
        return inside(monkeypatch, capsys, *arguments)

    return called


def told(said: Said) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(said.out)
    assert set(keys(document)) == set(keys(examples()[document["command"]]))
    return document


def test_a_plan_is_told_with_the_documented_keys(call: Any, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    said = call(*DEMAND, "--json", "--html", str(page))
    assert told(said)["options"][0]["trials"]
    assert said.code == exits.DONE
    assert "not these" in said.err
    assert "</html>" in page.read_text()


def test_what_nothing_carries_is_code_1(call: Any) -> None:
    said = call("plan", "--rate", "100", "--duration", "2s", "--done-within", "1s")
    assert said.code == exits.FAULT
    assert "none of the measured strategies carries that" in said.out


def test_the_plan_of_a_service_is_told_with_the_documented_keys(call: Any, tmp_path: Path) -> None:
    shop = str(build_service(tmp_path / "shop", 40, 70, 100).folder)
    said = call("plan", "--rate", "90", "--cores", "4", "--pool", "4", "--json", shop)
    document = json.loads(said.out)
    assert set(keys(document)) == set(keys(examples()["plan service"]))
    assert (document["options"][0]["processes"], said.code) == (2, exits.DONE)
    assert document["service"]["blocked"] == ["POST /orders", "GET /orders"]
    assert "culprit:" in said.err
    assert call("plan", "--rate", "900", shop).code == exits.FAULT
    assert call("plan", "--rate", "9", "--kind", "io", shop).err == (
        "error: --kind says nothing of a service, whose tasks are as they were measured: leave it out\n"
    )


def test_a_comparison_is_told_with_the_documented_keys(call: Any, campaign: str, tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    amend(other, web_processes=2)
    said = call("compare", campaign, str(other.folder), "--json")
    assert (told(said)["verdict"], said.code) == ("no_difference", exits.DONE)
    assert call("compare", campaign, campaign, "--fail-if", "throughput < 2").code == exits.FAULT
    assert call("compare", campaign, campaign, "--fail-if", "blocking < 1").code == exits.UNANSWERED
    assert call("compare", campaign, campaign, "--markdown").out.startswith("**")


def test_objectives_are_told_with_the_documented_keys(call: Any, campaign: str, tmp_path: Path) -> None:
    file = tmp_path / "blockpoint.toml"
    file.write_text("[objectives.work]\nsaturation_at_least = 30\n")
    said = call("verify", campaign, "-f", str(file), "--json")
    assert (told(said)["objectives"][0]["standing"], said.code) == ("met", exits.DONE)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("plan", "--rate", "fast", "--duration", "1s"), "--rate: 'fast' is no rate; write 120, or 80..150"),
        (("plan", "--rate", "9..3", "--duration", "1s"), "--rate: '9..3' is not between"),
        (("plan", "--rate", "9"), "--duration: how long a task lasts; write 800ms"),
        ((*DEMAND, "--pool", "15"), "--pool says something of a service's campaign only"),
        (("plan", "--rate", "9", "--duration", "0"), "a task that takes no time needs no plan"),
        ((*DEMAND, "--kind", "ip"), "there is no kind 'ip'; did you mean"),
        ((*DEMAND, "--html", "/nowhere/plan.html"), "/nowhere/plan.html: cannot be written"),
        ((*DEMAND, "nosuch"), "there is no campaign 'nosuch'"),
        (("compare", "nosuch", "nosuch"), "there is no campaign 'nosuch'"),
        (("compare", "a", "b", "--fail-if", "blocking"), "--fail-if 'blocking' is no rule"),
        (("verify", "-f", "nowhere.toml"), "nowhere.toml: cannot be read"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)
def test_what_cannot_be_done_is_one_line(call: Any, arguments: tuple[str, ...], line: str) -> None:
    said = call(*arguments)
    assert (said.code, said.out) == (exits.ERROR, "")
    assert said.err.startswith("error: ")
    assert line in said.err
    assert said.err.count("\n") == 1
