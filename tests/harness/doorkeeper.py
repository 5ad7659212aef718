"""A strategy written only for the tests: it lets in one task every 10 ms, and nothing else waits for that."""

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

EVERY_S = 0.01


class Doorkeeper(InProcess):
    def __init__(self, _settings: Settings) -> None:
        self.services = {kind: Service(law="await", slots=0) for kind in KINDS}

    async def start(self) -> None:
        self._door = asyncio.Lock()

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        async with self._door:
            await asyncio.sleep(EVERY_S)
        background.add_task(perform_async, task)


def installed(folder: Path) -> str:
    """Return an interpreter in which the strategy is installed."""
    return python_with_strategy(folder, "doorkeeper", "tests.harness.doorkeeper:definition")


definition = Definition(
    "doorkeeper", "one task every 10 ms gets in", {"default": Variant("a lock around a sleep", Doorkeeper)}
)
