"""The scenario of docs/your-service.md, followed to the letter."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loadtests.recording import Recording, certificate, recording

from . import pages

PAGE = pages.text("your-service.md")
FILES = dict(re.findall(r'^```\w+ title="([\w.]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", PAGE, re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "orders.jsonl").write_text('{"line": 1}\n{"line": 2}\n')
    (tmp_path / "arrivals.csv").write_text(
        "at,path\n" + "".join(f"2026-01-31T12:00:0{second}.5Z,/orders\n" for second in (0, 1, 1, 3, 8))
    )
    return tmp_path


def words(program: str) -> list[str]:
    """Return the words of the page's one command that begins with that program, without it."""
    (found,) = [shlex.split(each) for each in COMMANDS if each.startswith(program)]
    return found[1:]


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_its_scenario_sends_what_it_names(secure: bool, folder: Path) -> None:
    pair = certificate(folder) if secure else None
    with recording({"/quotes": 200}, otherwise=202, pair=pair) as found:
        asked = words("locust")
        place = asked.index("--host") + 1
        asked[place] = f"{found.url}/shop"
        asked[asked.index("--seconds") + 1] = "1.5"
        if secure:
            text = FILES["shop.py"].replace("    payloads", '    ca = "cert.pem"\n    payloads')
            (folder / "shop.py").write_text(text)
        command = [sys.executable, "-m", "locust", *asked, "--allow-errors", "--slip-limit-ms", "1000"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "0 rejected, 0 refused, 0 unknown" in done.stdout, done.stdout + done.stderr
    check(found)


def check(found: Recording) -> None:
    def of(path: str) -> list[str]:
        return [body for at, body in found.asked if at == f"/shop{path}"]

    orders, quotes = ([json.loads(body) for body in of(path)] for path in ("/orders", "/quotes"))
    assert len(orders) + len(quotes) == 60
    assert 30 < len(orders) < 58
    assert {each["order"]["line"] for each in orders} == {1, 2}
    assert len({each["id"] for each in orders + quotes}) == 60
    assert len(of("/catalogue")) == 30


def test_another_machine_is_not_loaded_unasked(folder: Path) -> None:
    asked = ["-f", "shop.py", "--headless", "--host", "https://example.org"]
    done = subprocess.run(
        [sys.executable, "-m", "locust", *asked], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "example.org is another machine" in done.stderr
