"""Whatever happens to a campaign's files: one clear line, or what the unharmed campaign says.

`python -m benchmarks campaign_fuzz` does the same for as long as one likes.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from harness.cli.main import main
from results.errors import BlockpointError
from results.store import campaign_folder, open_campaign
from results.sums import seal, sums
from tests.analysis.harms import (
    HARMS,
    PACKED_HARMS,
    THINGS,
    Harm,
    Whole,
    cut,
    drilled,
    files,
    measured,
    packed,
)

ODDS = {harm.__name__: HARMS.count(harm) for harm in HARMS}
TIMES = 3


@pytest.fixture(scope="module")
def campaigns(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Whole]:
    folder = tmp_path_factory.mktemp("runs")
    return {"measured": measured(folder / "measured"), "drilled": drilled(folder / "drilled")}


@pytest.mark.parametrize("kind", ["measured", "drilled"])
@pytest.mark.parametrize("harm", sorted(set(HARMS), key=lambda harm: harm.__name__), ids=lambda h: h.__name__)
def test_what_is_taken_is_true_and_what_is_not_is_one_line(
    campaigns: dict[str, Whole], harm: Harm, kind: str
) -> None:
    survives(campaigns[kind], harm)


@pytest.mark.parametrize("harm", PACKED_HARMS, ids=lambda h: h.__name__)
def test_the_same_holds_for_a_packed_campaign(tmp_path: Path, harm: Harm) -> None:
    survives(packed(tmp_path / "packed"), harm)


def survives(whole: Whole, harm: Harm) -> None:
    for seed in range(TIMES * ODDS[harm.__name__]):
        with whole.copy() as folder:
            whole.survives(folder, harm(folder, Random(seed)))


def refused(whole: Whole, folder: Path) -> str:
    """Read a campaign that must be refused; return the line."""
    with pytest.raises(BlockpointError) as caught:
        whole.read(folder, False)
    line = str(caught.value)
    assert "\n" not in line
    return line


def spoil(folder: Path, name: str, change: Callable[[Any], object]) -> None:
    path = next(folder.rglob(name))
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))
    seal(path.parent, sums(path.parent))


@pytest.mark.parametrize("limit", [-1, 0, 1e308, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(campaigns: dict[str, Whole], limit: float) -> None:
    with campaigns["measured"].copy() as folder:
        spoil(folder, "manifest.json", lambda document: document.update(limit_ms=limit))
        assert "manifest.json" in refused(campaigns["measured"], folder)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("manifest.json", lambda d: d["subjects"][0]["services"]["sleep"].update(law="magic"), "law"),
        ("manifest.json", lambda d: d["plans"][0].update(kind="nap"), "kind"),
        ("manifest.json", lambda d: d["plans"][0].update(trial_id="../../elsewhere"), "trial_id"),
        ("manifest.json", lambda d: d["plans"][0].update(scenario="/etc/evil"), "scenario"),
        ("manifest.json", lambda d: d["subjects"][0].update(strategy="x" * 100_000), "strategy"),
        ("manifest.json", lambda d: d["environment"].update(a=json.loads("[" * 500 + "]" * 500)), "deep"),
        ("trial.json", lambda d: d["load"].update(scenario="fanout"), "planned"),
        ("trial.json", lambda d: d["load"].update(steps=[]), "step"),
        ("trial.json", lambda d: d["load"].update(accepted=d["load"]["accepted"] + 1), "rows are not those"),
        ("trial.json", lambda d: d["load"]["steps"][0].update(to_ns=0), "ends before it begins"),
        ("trial.json", lambda d: d["load"]["steps"][0].update(rate_per_s=5e-324), "rate"),
        ("trial.json", lambda d: d["load"]["steps"][0].update(rate_per_s=0), "rate"),
        ("trial.json", lambda d: d["plan"].update(duration_ms=1e-308), "duration"),
        ("trial.json", lambda d: d["load"].update(drained_ns=2**62), "drained_ns"),
        ("trial.json", lambda d: d["rows"].update(requests=10**8), "were sealed"),
        ("trial.json", lambda d: d["plan"].update(trial_id="a\nb"), "trial_id"),
    ],
)
def test_what_a_document_cannot_say_is_refused(
    campaigns: dict[str, Whole], name: str, change: Callable[[Any], object], says: str
) -> None:
    with campaigns["measured"].copy() as folder:
        spoil(folder, name, change)
        assert says in refused(campaigns["measured"], folder)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("thing", "make"), THINGS, ids=[words for words, _ in THINGS])
def test_no_file_of_a_campaign_is_waited_for(
    campaigns: dict[str, Whole], thing: str, make: Callable[[Path], object]
) -> None:
    for whole in campaigns.values():
        names = {path.name: path.relative_to(whole.folder) for path in files(whole.folder)}
        for path in names.values():
            with whole.copy() as folder:
                (folder / path).unlink()
                make(folder / path)
                assert refused(whole, folder), thing


@pytest.mark.parametrize("name", ["a\nb", "\x1b[31m", "tab\there", "\u2028"])
def test_a_folder_whose_name_is_no_single_line_is_refused_in_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "manifest.json").write_text("{}")
    with pytest.raises(BlockpointError, match="there is no campaign") as caught:
        campaign_folder(str(tmp_path / name))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("arguments", [["report"], ["run", "--no-report", "--resume"]])
@pytest.mark.parametrize("seed", range(5))
def test_the_commands_refuse_a_damaged_campaign_in_one_line(
    campaigns: dict[str, Whole],
    arguments: list[str],
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with campaigns["measured"].copy() as folder:
        cut(folder, Random(seed))
        monkeypatch.setattr(sys, "argv", ["blockpoint", *arguments, str(folder)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 2
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if not line.startswith("error: ")] == []
    assert len(said) == 1
    assert open_campaign(campaigns["measured"].folder).trials()


def test_a_folder_that_may_not_be_looked_into_is_one_line(
    campaigns: dict[str, Whole], monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, os.strerror(13))

    with campaigns["measured"].copy() as folder:
        campaign = open_campaign(folder)
        monkeypatch.setattr(Path, "iterdir", denied)
        with pytest.raises(BlockpointError, match="trials: cannot be read"):
            campaign.trials()
