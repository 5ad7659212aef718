"""What docs/own-scenario.md says of a scenario of one's own, done as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from . import pages

PAGE = pages.text("own-scenario.md")


@pytest.fixture
def lunch(tmp_path: Path) -> Path:
    (source,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    file = tmp_path / "lunch.py"
    file.write_text(source)
    return file


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout


def test_its_option_is_shown_beside_the_common_ones(lunch: Path) -> None:
    shown = run(lunch.parent, "-m", "locust", "-f", lunch.name, "--options")
    assert "--times" in shown
    assert "--bystander-rate" in shown


def test_its_steps_are_those_that_the_page_tells_of(lunch: Path) -> None:
    asked = (
        "import lunch; from types import SimpleNamespace as S; "
        "settings = S(seconds=6, rate=10.0, duration_ms=100.0, times=3.0); "
        "print([(s.seconds, s.rate_per_s, s.duration_ms) for s in lunch.steps(settings)])"
    )
    shown = run(lunch.parent, "-c", asked)
    assert shown.strip() == "[(2.0, 10.0, 100.0), (2.0, 30.0, 100.0), (2.0, 10.0, 100.0)]"
