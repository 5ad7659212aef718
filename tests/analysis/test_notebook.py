import itertools
import json
import shutil
from pathlib import Path

import pytest

from analysis.report import notebook, notebook_sources
from results.checkout import ROOT
from results.store import open_campaign
from tests.analysis.synthetic import Cell, build

QUESTION = "import json, os, sys\nprint(json.dumps([CAMPAIGN, dict(os.environ), sys.path, os.getcwd()]))\n"
ASKS = (
    f'# ---\n# jupyter:\n#   blockpoint:\n#     reads: trials\n# ---\n\n# %%\nCAMPAIGN = "other"\n{QUESTION}'
)


def test_a_kernel_takes_nothing_from_the_folder_and_the_shell_that_it_is_started_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources, campaign = tmp_path / "sources", tmp_path / "a 'campaign'"
    for folder in (sources, campaign):
        folder.mkdir()
    (sources / "asks.py").write_text(ASKS)
    (campaign / "ipykernel_launcher.py").write_text("raise SystemExit('a stranger ran')\n")
    monkeypatch.setattr(notebook_sources, "SOURCES", sources)
    monkeypatch.chdir(campaign)
    for name in ("PYTHONSTARTUP", "JUPYTER_CONFIG_PATH", "CELERY_BROKER_URL", "https_proxy"):
        monkeypatch.setenv(name, str(campaign))
    assert notebook.execute_notebooks(Path(), tmp_path / "made", "trials") == []
    (cell,) = json.loads((tmp_path / "made" / "asks.ipynb").read_text())["cells"]
    (output,) = cell["outputs"]
    read, environ, path, folder = json.loads("".join(output["text"]))
    assert read == str(campaign)
    assert not [name for name, value in environ.items() if str(campaign) in value]
    assert not [place for place in (*path, folder) if str(campaign) in place]


@pytest.mark.parametrize(("published", "reads"), [("pool-of-40", "trials"), ("drills-kill-child", "drills")])
def test_every_notebook_tells_its_story_of_a_campaign_that_was_measured(
    tmp_path: Path, published: str, reads: notebook_sources.Reads
) -> None:
    folder = tmp_path / "measured"
    shutil.copytree(ROOT / "results" / "published" / published, folder)
    assert notebook.execute_notebooks(folder, tmp_path / "made", reads) == []
    for name in notebook_sources.names(reads):
        cells = json.loads((tmp_path / "made" / f"{name}.ipynb").read_text())["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        assert {output["output_type"] for output in outputs} <= {"stream", "display_data", "execute_result"}
        assert not [output for output in outputs if output.get("name") == "stderr"]
        assert any("image/png" in output.get("data", {}) for output in outputs)
        first = next(cell for cell in cells if cell["cell_type"] == "code")
        assert "".join(first["outputs"][0]["text"]).startswith(f"{open_campaign(folder).manifest.campaign}: ")


def test_a_campaign_of_which_no_trial_counts_has_notebooks_too(tmp_path: Path) -> None:
    cells = [Cell("celery", [(rate, 1, 50)], reasons=["slip p99 2 ms"]) for rate in (20, 60)]
    campaign, _ = build(tmp_path / "invalid", cells)
    assert notebook.execute_notebooks(campaign.folder, tmp_path / "made", "trials") == []


def test_every_notebook_is_about_something_and_names_the_next() -> None:
    told = [*notebook_sources.names("trials"), *notebook_sources.names("drills")]
    assert told == sorted(path.stem for path in notebook_sources.SOURCES.iterdir())
    for name, following in itertools.pairwise(told):
        assert f"`{following}`" in (notebook_sources.SOURCES / f"{name}.py").read_text()
