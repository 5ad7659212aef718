import asyncio
import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from analysis.report import build as report
from analysis.report import notebook
from analysis.report.build import make_report
from analysis.report.notebook_sources import names
from analysis.report.pages import render_page
from analysis.trials.derive import derive
from results.errors import BlockpointError
from results.store import Campaign
from tests.analysis.synthetic import Cell, Truth, build


class Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or "" for name, value in attrs if name == "src" or (tag == "link" and name == "href")
        ]
        assert tag not in {"img", "iframe", "object", "embed"}


def test_a_report_is_whole_and_needs_nothing_else(small: tuple[Campaign, dict[str, Truth]]) -> None:
    lines: list[str] = []
    page = make_report(small[0].folder, lines.append, notebooks=True)
    text = page.read_text()
    sources = Sources()
    sources.feed(text)
    assert sources.found == ["data:,"]
    assert text.count("<svg ") == sum(1 for _ in (page.parent / "charts").glob("*.svg")) > 5
    assert not re.search(r"""(?:src|href|url\()\s*=?\s*["']?https?:""", text)
    assert "/ping-sync crossed 100 ms between 60 and 120 tasks/s" in text
    for link in re.findall(r'href="((?:charts|notebooks|tables)/[^"]+)"', text):
        assert (page.parent / link).is_file()
    assert (small[0].folder / "derived" / "summary.csv").is_file()
    assert any("reading trial" in line for line in lines)
    assert not list(small[0].folder.glob(".*"))
    notebooks = list((page.parent / "notebooks").glob("*.ipynb"))
    assert {path.stem for path in notebooks} == set(names("trials"))
    for path in notebooks:
        cells = json.loads(path.read_text())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        assert any("image/png" in output.get("data", {}) for output in outputs)
        assert not any(output["output_type"] == "error" for output in outputs)
    assert not any("could not be executed" in line for line in lines)


def test_names_and_labels_are_escaped(runs: Path) -> None:
    evil = "<script>alert(1)</script>"
    build(
        runs,
        [Cell("a<b>&", [(20, 3, 50)], reasons=[evil])],
        host={"cpu_model": evil, "cpu_count": "many"},
        anything=[evil, {"deep": None}],
    )
    page = render_page(derive(runs), [], [evil])
    assert "<script>" not in page
    assert "<b>" not in page
    assert page.count("<script") == 3, "the values of the limits, of the calculator, and the script"
    assert "&lt;script&gt;" in page


def test_a_manifest_that_knows_nothing_still_makes_a_page(runs: Path) -> None:
    build(runs, [Cell("celery", [(20, 3, 50)])], unknown="")
    assert "celery" in render_page(derive(runs), [], [])


def test_a_report_replaces_the_old_one_only_when_it_is_whole(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(runs, [Cell("celery", [(20, 3, 50)])])
    monkeypatch.setattr(
        report, "execute_notebooks", lambda *_: ["the notebook x could not be executed: no kernel"]
    )
    page = make_report(runs, notebooks=True)
    assert "no kernel" in page.read_text()
    (page.parent / "mark").touch()

    def fail(*_: object) -> str:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(report, "render", fail)
        with pytest.raises(RuntimeError):
            make_report(runs)
    assert (page.parent / "mark").exists()
    make_report(runs)
    assert not (page.parent / "mark").exists()
    assert sorted(path.name for path in runs.iterdir()) == [
        "SHA256SUMS",
        "derived",
        "manifest.json",
        "report",
        "trials",
    ]


def test_a_campaign_that_is_missing_empty_or_damaged_is_one_line(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(BlockpointError):
        make_report(tmp_path / "nowhere")
    build(runs, [])
    with pytest.raises(BlockpointError, match="no sealed trial"):
        make_report(runs)
    shutil.rmtree(runs)
    campaign, _ = build(runs, [Cell("celery", [(20, 3, 50)])])
    next(campaign.trials_folder.glob("*/requests.parquet")).write_bytes(b"PAR1")
    with pytest.raises(BlockpointError) as caught:
        make_report(runs)
    assert "\n" not in str(caught.value)
    assert not (runs / "report").exists()


def test_notebooks_that_cannot_be_written_are_one_error_and_no_other_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Both fail, on a full disk: neither may be left to be complained of by whoever finds it later."""

    naps_s = iter((0, 0.2, 0.2))

    async def executed(*_: object, **__: object) -> None:
        await asyncio.sleep(next(naps_s))

    monkeypatch.setattr(notebook.NotebookClient, "async_execute", executed)
    for name in names("trials"):
        (tmp_path / f"{name}.ipynb").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        notebook.execute_notebooks(tmp_path, tmp_path, "trials")
    assert caplog.records == []


def test_a_page_says_that_others_measured_beside_trials_that_count(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    derived = derive(small[0].folder)
    assert set(derived.summary["company"]) == {""}
    beside = dataclasses.replace(derived, summary=derived.summary.assign(company="campaign x (pid 1)"))
    words = "another campaign measured on the same machine"
    assert words not in render_page(derived, [], [])
    assert f"Beside {int(derived.summary.drop_duplicates('trial_id')['valid'].sum())} of" in (
        page := render_page(beside, [], [])
    )
    assert words in page
