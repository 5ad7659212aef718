"""Objectives: what a file may say, and how campaigns answer."""

from pathlib import Path
from typing import Any

import pytest

from analysis.verify.answers import Standing, checked, read_evidence
from analysis.verify.objective import parse
from harness.commands.objectives import read_objectives
from harness.commands.verify import VerifyRequest, exit_code, verify
from harness.drills.catalogue import DRILLS
from harness.terminal.exits import DONE, FAULT, UNANSWERED
from results.errors import BlockpointError
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, build
from tests.analysis.synthetic_drills import DrillCell, build_drills


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pool of 4 and tasks of 50 ms, 80/s: it keeps up with 40/s, not with 160/s."""
    cells = [
        Cell("celery", [(rate, 4, 50)], service=POOL, seed=seed, repeat=seed)
        for rate in (20, 40, 160)
        for seed in range(2)
    ]
    return build(tmp_path_factory.mktemp("runs") / "steady", cells)[0].folder


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cells = [
        DrillCell("kill-web", "background_tasks", then="loses"),
        DrillCell("kill-web", "celery", then="keeps"),
    ]
    return build_drills(tmp_path_factory.mktemp("runs") / "drills", cells).folder


def standing(given: dict[str, Any], *folders: Path) -> list[Standing]:
    (objective,) = parse({"name": given}, "blockpoint.toml", list(DRILLS))
    return [each.standing for each in checked(objective, [read_evidence(folder) for folder in folders])]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"saturation_at_least": 40}, Standing.MET),
        ({"saturation_at_least": 160}, Standing.MISSED),
        ({"saturation_at_least": 80}, Standing.UNKNOWN),
        ({"saturation_at_least": 40, "duration": "1s"}, Standing.UNKNOWN),
        ({"stream": "accept", "p99_within": "100ms", "at_rate": 40}, Standing.MET),
        ({"stream": "accept", "p99_within": "0.01ms", "at_rate": 40}, Standing.MISSED),
        ({"stream": "accept", "p99_within": "100ms", "at_rate": 70}, Standing.UNKNOWN),
    ],
    ids=str,
)
def test_trials_answer(given: dict[str, Any], expected: Standing, steady: Path) -> None:
    assert standing(given, steady) == [expected]


def test_drills_answer_for_each_subject(drills: Path, steady: Path) -> None:
    told = standing({"nothing_lost_in": ["kill-web"]}, drills, steady)
    assert sorted(told) == [Standing.MET, Standing.MISSED]
    assert standing({"nothing_lost_in": "kill-web", "subject": "celery/default"}, drills) == [Standing.MET]
    assert standing({"nothing_lost_in": "kill-worker"}, drills) == [Standing.UNKNOWN]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"blocking_at_leest": 3}, "did you mean 'blocking_at_least'"),
        ({"blocking_at_least": -3}, "blocking_at_least = -3 is no rate"),
        ({"blocking_at_least": True}, "blocking_at_least = True is no rate"),
        ({"blocking_at_least": 3, "kind": "slep"}, "did you mean 'sleep'"),
        ({"blocking_at_least": 3, "duration": 100}, "duration = 100 is no time"),
        ({"stream": "accept", "at_rate": 3}, "belong together"),
        ({"stream": "acept", "at_rate": 3, "p99_within": "1s"}, "did you mean 'accept'"),
        ({"nothing_lost_in": "kill-wev"}, "did you mean 'kill-web'"),
        ({"nothing_lost_in": 3}, "is no list of drills"),
        ({"subject": "celery/tuned"}, "asks for nothing"),
        ({"subject": 7}, "subject = 7 is no text"),
        ("fast", "is no table"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_with_its_place(given: Any, said: str) -> None:
    with pytest.raises(BlockpointError) as error:
        parse({"api": given}, "blockpoint.toml", list(DRILLS))
    assert str(error.value).startswith("blockpoint.toml: [objectives.api]: ")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "holds no"), ("[objectives", "is no TOML"), (None, "cannot be read")],
    ids=["empty", "torn", "missing"],
)
def test_a_file_that_says_nothing_is_an_error(text: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "blockpoint.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BlockpointError, match=said):
        read_objectives(str(path))


def test_a_project_file_holds_them_below_its_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steady: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BlockpointError, match="and no pyproject"):
        read_objectives("")
    project = tmp_path / "pyproject.toml"
    project.write_text("[tool.blockpoint.objectives.api]\nsaturation_at_least = 40\n")
    request = VerifyRequest(campaigns=(str(steady),), file="", as_json=False)
    assert verify(request) == DONE
    assert capsys.readouterr().out.startswith("met     api: celery/default, sleep 50 ms, one-box: ")
    (tmp_path / "blockpoint.toml").write_text("[objectives.api]\nsaturation_at_least = 200\n")
    assert verify(request) == FAULT


def test_what_is_not_known_is_neither_met_nor_missed(steady: Path) -> None:
    (objective,) = parse({"a": {"saturation_at_least": 80}}, "", list(DRILLS))
    unknown = checked(objective, [read_evidence(steady)])
    assert exit_code(unknown) == UNANSWERED
