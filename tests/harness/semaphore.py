"""A strategy written only for the tests: as many coroutines at a time as installed, whatever it declares.

Its saturation point is slots / duration. As `silent` it declares no limit, so that a search has nothing to
begin from; as `declared` it says what it is, as `mistaken` something else.
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

from .blockpoint import python_with_strategy


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


class Mistaken(Silent):
    def __init__(self, _settings: Settings) -> None:
        self.services = {kind: Service(law="pool", slots=2 * slots()) for kind in KINDS}


def slots() -> int:
    from semaphore_slots import SLOTS

    return int(SLOTS)


def installed(folder: Path, slots: int) -> str:
    """Return an interpreter in which the strategy is installed."""
    where = "tests.harness.semaphore:definition"
    return python_with_strategy(folder, "semaphore", where, semaphore_slots=f"SLOTS = {slots}\n")


definition = Definition(
    "semaphore",
    "coroutines behind a semaphore",
    {
        "silent": Variant("says nothing", Silent),
        "declared": Variant("says its slots", Declared),
        "mistaken": Variant("says twice its slots", Mistaken),
    },
)
