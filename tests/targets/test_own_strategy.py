"""What docs/own-strategy.md says of a strategy of one's own, done as it says, in a throw-away environment."""

import subprocess
from pathlib import Path

import pytest

from harness.target.broker import free_port

from .plugin import blocks, fresh_python, measured, pip_install, write_plugin

pytestmark = pytest.mark.e2e

PAGE = Path(__file__).parents[2] / "docs" / "own-strategy.md"
WORKING = """
def forgets(task: Task) -> None:
    time.sleep(task.units / 1000)

def raises(task: Task) -> None:
    with recorded(task):
        raise LookupError("no such picture")

class Guest(InProcess):
    services = {kind: Service(law="pool", slots=4) for kind in KINDS}
    work = staticmethod(forgets)
    def __init__(self, settings: Settings) -> None: ...
    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        background.add_task(self.work, task)

class Raising(Guest):
    work = staticmethod(raises)

variants = {"forgets": Variant("x", Guest), "raises": Variant("x", Raising)}
definition = Definition("guest", "from another package", variants)
"""
IMPATIENT = (
    "import harness.target.target as s; s.PREFLIGHT_LIMIT_S = {limit_s}; "
    "from harness.cli.main import main; main()"
)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment that has ours, the page's strategy and an unsound one."""
    folder = tmp_path_factory.mktemp("own")
    made, packages = fresh_python(folder)
    mine = folder / "mine"
    mine.mkdir()
    (mine / "mine.py").write_text(*blocks(PAGE, "python"))
    (mine / "pyproject.toml").write_text(*blocks(PAGE, "toml"))
    pip_install(mine, packages)
    write_plugin(packages, "guest", "import time\nfrom targets.work import recorded\n" + WORKING)
    return made


def test_the_page_works_when_it_is_followed(python: Path, tmp_path: Path) -> None:
    listed = subprocess.run(
        [python, "-P", "-m", "harness", "list"], capture_output=True, text=True, check=True
    )
    assert "  mine: a function of mine in threads\n    default  4 threads [slots: 4]\n" in listed.stdout
    campaign, said = measured(python, tmp_path, "mine", "--rate", "20", "--duration", "30ms")
    (trial,) = campaign.trials()
    assert trial.ceiling_per_s == pytest.approx(4 / 0.03)
    assert trial.accounts.finished == trial.accounts.accepted > 0, said
    assert trial.accounts.unaccounted == trial.accounts.started_twice == 0


@pytest.mark.parametrize(
    ("variant", "limit_s", "words", "log"),
    [
        (
            "forgets",
            2,
            "was not seen to start within 2 s: what a strategy runs has to stand in a `with recorded",
            "",
        ),
        ("raises", 60, "a first task ended by an exception", "LookupError: no such picture"),
    ],
    ids=["forgets", "raises"],
)
def test_a_task_that_records_nothing_or_fails_is_said_to(
    variant: str, limit_s: int, words: str, log: str, python: Path
) -> None:
    done = subprocess.run(
        [
            python,
            "-P",
            "-c",
            IMPATIENT.format(limit_s=limit_s),
            "serve",
            "guest",
            variant,
            "--port",
            str(free_port()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    first, *_ = done.stderr.splitlines()
    assert done.returncode == 2
    assert words in first
    assert log in done.stderr
    assert "(nothing)" in done.stderr or log
