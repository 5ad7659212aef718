"""A strategy written only for the tests: as many coroutines at a time as installed, whatever it declares.

Its saturation point is slots / duration. As `silent` it declares no limit, so that a search has nothing to
begin from; as `declared` it says what it is.
"""

import asyncio
from pathlib import Path

from fastapi import BackgroundTasks

from results.schema import Service
from results.terms import KINDS
from targets.settings import Settings
from targets.strategy import Definition, InProcess, Variant
from targets.task import Task
from targets.work import perform_async

from .blockpoint import python_with


class Silent(InProcess):
    def __init__(self, _settings: Settings) -> None:
        self.services = {kind: Service(law="await", slots=0) for kind in KINDS}

    async def start(self) -> None:
        self._free = asyncio.Semaphore(slots())

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        background.add_task(self._run, task)

    async def _run(self, task: Task) -> None:
        async with self._free:
            await perform_async(task)


class Declared(Silent):
    def __init__(self, _settings: Settings) -> None:
        self.services = {kind: Service(law="pool", slots=slots()) for kind in KINDS}


def slots() -> int:
    from semaphore_slots import SLOTS

    return int(SLOTS)


def installed(folder: Path, slots: int) -> str:
    """Return an interpreter in which the strategy is installed."""
    package = folder / "package"
    info = package / "semaphore-1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: semaphore\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        "[blockpoint.strategies]\nsemaphore = tests.harness.semaphore:definition\n"
    )
    (package / "semaphore_slots.py").write_text(f"SLOTS = {slots}\n")
    return python_with(folder / "venv", package)


definition = Definition(
    "semaphore",
    "coroutines behind a semaphore",
    {"silent": Variant("says nothing", Silent), "declared": Variant("says its slots", Declared)},
)
