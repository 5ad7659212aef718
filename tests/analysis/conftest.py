from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.report.build import make_report
from results.schema import Service
from results.store import Campaign
from tests.analysis.browser import Tab, opened
from tests.analysis.synthetic import Cell, Truth, build

POOL = Service(law="pool", slots=4)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Campaign, dict[str, Truth]]:
    """Two subjects at three rates, one trial of them invalid, a burst and a sweep. Not to be changed."""
    subject = {"strategy": "background_tasks", "service": POOL, "suffers": ("ping_sync",)}
    cells = [Cell(steps=[(rate, 3, 50)], **subject) for rate in (20, 60, 120)]
    cells += [Cell(steps=[(240, 3, 50)], reasons=["slip p99 2 ms"], **subject)]
    cells += [
        Cell("celery", [(rate, 3, 50)], variant="tuned", service=POOL, workers=1) for rate in (20, 60, 120)
    ]
    cells += [
        Cell("celery", [(20, 1, 50), (200, 1, 50), (20, 3, 50)], "tuned", POOL, scenario="burst", workers=1)
    ]
    cells += [Cell(steps=[(20, 3, d) for d in (10, 50, 400)], scenario="duration_sweep", **subject)]
    return build(tmp_path_factory.mktemp("runs") / "small", cells)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture(scope="session")
def page(small: tuple[Campaign, dict[str, Truth]]) -> Path:
    made = small[0].folder / "report" / "index.html"
    return made if made.exists() else make_report(small[0].folder)


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with opened(tmp_path / "profile") as tab:
        yield tab
