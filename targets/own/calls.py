"""Calls the user's task, as the strategy that runs it would call any."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from targets.own.arguments import Arguments, in_turn
from targets.own.places import make_findable
from targets.own.resolve import is_coroutine, module_of, resolve
from targets.settings import Settings


@dataclass(frozen=True)
class OwnTask:
    """The callable with all that its calls need."""

    function: Callable[..., Any]
    arguments: Arguments
    seed: int
    limit_s: float | None
    """after which a coroutine is cancelled"""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Import it; raises BlockpointError where that fails."""
        name = settings.own_task
        make_findable(settings.own_path, settings.own_folder, module_of(name).partition(".")[0])
        arguments = Arguments.read(Path(settings.own_args)) if settings.own_args else Arguments()
        return cls(resolve(name), arguments, settings.own_seed, settings.own_limit_s or None)

    def for_timing(self) -> Self:
        """Return the same without a limit, each line of its arguments having its turn."""
        return replace(self, arguments=in_turn(self.arguments, self.seed), limit_s=None)

    @property
    def awaited(self) -> bool:
        """Whether it is an `async def`."""
        return is_coroutine(self.function)

    def call(self, task_id: int) -> Any:
        """Call it to its end in this thread; an `async def` gets an event loop of its own.

        Where this thread runs one already, that is blocked meanwhile.
        """
        if not self.awaited:
            positional, named = self.arguments.of(task_id, self.seed)
            return self.function(*positional, **named)
        if not _loop_runs_here():
            return asyncio.run(self.call_awaiting(task_id))
        with ThreadPoolExecutor(1) as beside:
            return beside.submit(asyncio.run, self.call_awaiting(task_id)).result()

    async def call_awaiting(self, task_id: int) -> Any:
        """Await it on the running loop; raises TimeoutError after its limit."""
        positional, named = self.arguments.of(task_id, self.seed)
        async with asyncio.timeout(self.limit_s):
            return await self.function(*positional, **named)


@cache
def own_task() -> OwnTask:
    """Return the task of this process's settings, imported once."""
    return OwnTask.of(Settings.from_environment())


def _loop_runs_here() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
