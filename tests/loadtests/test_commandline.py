"""A command line of which a part would be left out ends in one line; what shows the options works."""

import re
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadtests.openloop.commandline import check_options
from loadtests.openloop.options import COMMON, read
from loadtests.openloop.scenario import REGISTER_PATH, Scenario
from loadtests.openloop.schedule import PlannedStep
from results.errors import BlockpointError
from tests.loadtests.conftest import BIN, ROOT

PLAIN = Scenario("plain", lambda s: [PlannedStep(s.seconds, s.rate, s.duration_ms)])
FANOUT = Scenario("fanout", PLAIN.steps, path=REGISTER_PATH)
CLOSED = Scenario("closed", PLAIN.steps, closed=True)
MINE = """
from locust import User, task

class Mine(User):
    @task
    def go(self): print("I ran")
"""
LAZY = """
from loadtests.openloop.user import OpenLoopUser
from loadtests.steady import Steady

class Lazy(OpenLoopUser):
    scenario = Steady.scenario
"""
SHAPELESS = """
from loadtests.openloop.scenario import Scenario
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.user import OpenLoopUser

class Shapeless(OpenLoopUser):
    scenario = Scenario("shapeless", lambda s: [PlannedStep(s.seconds, s.rate, 1)])
"""


@pytest.mark.parametrize(
    ("scenario", "given_", "option"),
    [
        (FANOUT, {"payload_bytes": 1}, "--payload-bytes"),
        (FANOUT, {"fail_first": 1}, "--fail-first"),
        (FANOUT, {"poison": "raise"}, "--poison"),
        (CLOSED, {"arrivals": "constant"}, "--arrivals"),
        (CLOSED, {"close_early_every": 2}, "--close-early-every"),
        (CLOSED, {"max_in_flight": 5}, "--max-in-flight"),
        (CLOSED, {"slip_limit_ms": 5.0}, "--slip-limit-ms"),
        (PLAIN, {"poison_every": 3}, "--poison-every"),
        (PLAIN, {"poison_kills": 2}, "--poison-kills"),
        (PLAIN, {"poison_kills": 2, "poison": "raise"}, "--poison-kills"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    scenario: Scenario, given_: dict[str, Any], option: str
) -> None:
    with pytest.raises(BlockpointError, match=f"^{option}: ") as caught:
        scenario.plan(read(COMMON, SimpleNamespace(**given_)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("scenario", [PLAIN, FANOUT, CLOSED])
def test_what_a_scenario_follows_is_not_refused(scenario: Scenario) -> None:
    scenario.plan(read(COMMON, SimpleNamespace(rate=7, kind="cpu", seed=3, drain_seconds=1, warm_up=0.1)))
    drill = SimpleNamespace(poison="kill", poison_every=30, poison_kills=2, close_early_every=3)
    PLAIN.plan(read(COMMON, drill))


def locust(*arguments: str, **more: Any) -> "subprocess.CompletedProcess[str]":
    command = [str(BIN / "locust"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **more)


def written(folder: Path, name: str, text: str) -> str:
    (folder / f"{name}.py").write_text(text)
    return str(folder / f"{name}.py")


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("locustfile", "options", "says"),
    [
        ("loadtests/", (), "8 scenarios"),
        ("loadtests/steady.py,loadtests/burst.py", (), "2 scenarios (burst, steady)"),
        ("loadtests/steady.py,{mine}", (), "Mine cannot run beside steady"),
        ("{mine},loadtests/closed_loop.py", (), "Mine cannot run beside closed_loop"),
        ("loadtests/steady.py,{mine}", ("Mine",), "Mine cannot run beside steady"),
        ("{lazy}", (), "2 scenarios"),
        ("{shapeless}", (), "no load shape"),
        ("loadtests/fanout.py", ("--fail-first", "1"), "--fail-first: "),
        ("loadtests/duration_sweep.py", ("--duration-ms", "7"), "--duration-ms: 7 is not one of --durations"),
        ("loadtests/stairs.py", ("--rates", "10,30,20"), "--rates: 10,30,20 does not rise"),
        (
            "loadtests/stairs.py",
            ("--rates", "10,20", "--rate", "30"),
            "--rate: 30 is not the last of --rates",
        ),
        ("loadtests/stairs.py", ("--rates", "10,many"), "--rate: 'many' is not a number"),
        ("loadtests/steady.py", ("--users", "5"), "--users: "),
        ("loadtests/closed_loop.py", ("--users", "5", "--spawn-rate", "1"), "--spawn-rate: "),
        ("loadtests/steady.py", ("--tags", "slow"), "--tags: "),
        ("loadtests/steady.py", ("--exclude-tags", "slow"), "--exclude-tags: "),
    ],
)
def test_a_command_line_that_asks_for_more_than_one_run_is_refused_in_one_line(
    tmp_path: Path, locustfile: str, options: tuple[str, ...], says: str
) -> None:
    texts = {"mine": MINE, "lazy": LAZY, "shapeless": SHAPELESS}
    names = {name: written(tmp_path, name, text) for name, text in texts.items()}
    ran = locust(
        *("-f", locustfile.format(**names), "--headless", "--host", "http://127.0.0.1:1", "--seconds", "1"),
        *options,
    )
    lines = [line for line in ran.stderr.splitlines() if "/INFO/" not in line]
    assert ran.returncode == 2
    assert len(lines) == 1, ran.stderr
    assert lines[0].startswith("blockpoint: ")
    assert says in lines[0]
    assert "I ran" not in ran.stdout


@pytest.mark.parametrize("harmless", [None, 1])
def test_what_locust_itself_puts_in_is_no_wish(harmless: int | None) -> None:
    given_ = SimpleNamespace(num_users=harmless, spawn_rate=harmless, tags=None, exclude_tags=None)
    check_options(given_, closed=False, unset=(None, 1))


@pytest.mark.e2e
def test_every_scenario_shows_its_options() -> None:
    shown = {path.stem: locust("-f", str(path), "--options") for path in ROOT.glob("loadtests/[a-z]*.py")}
    assert len(shown) == 8
    for name, ran in shown.items():
        assert ran.returncode == 0
        assert f"{name}.py" in ran.stdout
        assert "--bystander-rate" in ran.stdout
        assert ran.stderr == ""
    assert "--burst-rate" in shown["burst"].stdout
    assert "--burst-rate" not in shown["steady"].stdout
    assert "A spike over a base load" in shown["burst"].stdout


def test_no_module_of_ours_hides_the_package_of_plugins(tmp_path: Path) -> None:
    """Locust imports a package of this name from the index where it is installed."""
    package = tmp_path / "locust_plugins"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "users.py").write_text("FOUND = True")
    late = f"import sys; sys.path.append({str(tmp_path)!r}); import locust_plugins.users as u; print(u.FOUND)"
    ran = subprocess.run([sys.executable, "-c", late], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "True\n", ran.stderr


@pytest.mark.parametrize("library", ["locust", "celery", "kombu", "uvicorn", "fastapi", "configargparse"])
def test_no_library_asks_for_a_module_by_a_name_of_ours(library: str) -> None:
    """A name that it imports only where it is installed would find ours instead."""
    names = {path.stem for path in ROOT.glob("*.py")} | {
        path.parent.name for path in ROOT.glob("*/__init__.py")
    }
    asks = re.compile(rf"^\s*(?:import|from) ({'|'.join(names)})\b", re.MULTILINE)
    found = PathFinder.find_spec(library)  # kombu, once imported, has no spec in sys.modules
    assert found is not None
    origin = Path(found.origin or "")
    files = origin.parent.rglob("*.py") if origin.name == "__init__.py" else [origin]
    assert [(file, asks.findall(text)) for file in files if asks.search(text := file.read_text())] == []
