import json
from pathlib import Path

import pytest

from analysis.report import notebook, notebook_sources

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
