import subprocess
import sys
from pathlib import Path

import pytest

from results.errors import BlockpointError
from results.schema import KINDS
from targets.settings import Settings
from targets.strategies.inline import Inline
from targets.strategy import Definition, Variant, check_versions, discover, find, split_name

PLUGIN = """
from fastapi import BackgroundTasks
from targets.strategies.inline import Inline
from targets.strategy import Definition, Variant

definition = Definition("elsewhere", "from another package", {"default": Variant("as inline", Inline)})
"""


def test_every_strategy_declares_every_kind() -> None:
    for definition in discover().values():
        for variant in definition.variants:
            subject = definition.subject(variant, Settings(slots=7, cores=2))
            assert set(subject.services) == set(KINDS)
            assert subject.max_attempts >= 1
            if variant == "tuned":
                assert subject.services["sleep"].slots == 7


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("celery", ("celery", "default")),
        ("celery_tuned", ("celery", "tuned")),
        ("background_tasks_async", ("background_tasks_async", "default")),
        ("background_tasks_async_default", ("background_tasks_async", "default")),
        ("background_tasks_tuned", ("background_tasks", "tuned")),
    ],
)
def test_names_split(name: str, split: tuple[str, str]) -> None:
    assert split_name(name) == split


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(BlockpointError, match="did you mean 'celery'"):
        find("celry")
    with pytest.raises(BlockpointError, match="did you mean 'tuned'"):
        find("celery").build("tunde", Settings())


@pytest.mark.parametrize("floor", ["999", "9.9.9.9999"])
def test_a_library_below_the_floor_is_refused(floor: str) -> None:
    definition = Definition("x", "", {"default": Variant("", Inline)}, requires={"fastapi": floor})
    with pytest.raises(BlockpointError, match=f"needs fastapi {floor} or newer"):
        check_versions(definition)


def test_a_missing_library_is_refused() -> None:
    definition = Definition("x", "", {"default": Variant("", Inline)}, requires={"no-such-thing": "1"})
    with pytest.raises(BlockpointError, match="none is installed"):
        check_versions(definition)


def test_a_strategy_of_another_package_is_found(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.py").write_text(PLUGIN)
    info = tmp_path / "elsewhere-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[blockpoint.strategies]\nelsewhere = elsewhere:definition\n")
    listed = subprocess.run(
        [sys.executable, "-m", "harness", "list"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "elsewhere: from another package" in listed.stdout
