"""What captions say of the conditions under which a campaign was measured."""

from pathlib import Path

import msgspec
import pytest

from analysis.charts.conditions import machine, served
from analysis.charts.parts import by_condition
from analysis.report.words import read
from analysis.trials.derive import Derived, derive
from results.schema import Manifest
from tests.analysis.synthetic import Cell, build

UNUSUAL = ["2 uvicorn workers", "BaseHTTPMiddleware", "100 AnyIO tokens", "no GIL"]


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> Derived:
    folder: Path = tmp_path_factory.mktemp("runs")
    build(folder, [Cell("celery", [(20, 2, 50)])])
    return derive(folder)


def unusual(manifest: Manifest) -> Manifest:
    environment = {**manifest.environment, "python": {"version": "3.14.0", "gil": False}}
    return msgspec.structs.replace(
        manifest, web_processes=2, middleware=True, anyio_tokens=100, environment=environment
    )


def test_the_usual_conditions_are_no_words(derived: Derived) -> None:
    assert served(derived.manifest) == []
    (part,) = by_condition(derived)
    assert part.about == "sleep tasks of 50 ms, one-box"


def test_others_stand_in_every_caption_and_every_line_under_a_title(derived: Derived) -> None:
    manifest = unusual(derived.manifest)
    other = Derived(derived.folder, manifest, derived.summary, derived.bursts, derived.predictions)
    assert served(manifest) == UNUSUAL
    assert all(words in machine(manifest) for words in UNUSUAL)
    (part,) = by_condition(other)
    assert part.about == f"sleep tasks of 50 ms, one-box, {', '.join(UNUSUAL)}"


def test_how_unevenly_the_tasks_fell_is_told_where_there_are_several_processes(derived: Derived) -> None:
    summary = derived.summary.assign(busiest_web_share=0.625)
    told = {
        processes: " ".join(read(summary.assign(web_processes=processes), derived.points)[0].sentences)
        for processes in (1, 2)
    }
    assert "The busiest of the 2 web processes accepted 62 % of the tasks." in told[2]
    assert "web processes" not in told[1]
