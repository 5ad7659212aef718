"""BackgroundTasks beside a database session that is injected by a `yield` dependency.

FastAPI closes such a dependency after the background tasks, so that a session keeps its connection for as
long as they last; `scope="function"` closes it before the reply.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from fastapi import BackgroundTasks, Depends
from fastapi.params import Depends as Dependency
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from targets.settings import Settings
from targets.strategies.background_tasks import threads
from targets.strategies.yield_dependency import CONNECTIONS, MAX_OVERFLOW, POOL_SIZE
from targets.strategy import InProcess
from targets.task import Task
from targets.work import perform

READING = text("SELECT 1")


class SessionPerRequest(InProcess):
    """As shipped: the session lives until the background task has ended, and its connection with it."""

    scope: Literal["request", "function"] = "request"

    def __init__(self, settings: Settings) -> None:
        self.services = threads(min(CONNECTIONS, settings.anyio_tokens), shares=["accept", "ping_db"])
        self.settings = {"scope": self.scope, "pool_size": POOL_SIZE, "max_overflow": MAX_OVERFLOW}
        self.dependencies = [self._reader()]

    async def start(self) -> None:
        """Make the engine, which connects at its first query."""
        self._folder = TemporaryDirectory()
        self._engine = create_async_engine(f"sqlite+aiosqlite:///{Path(self._folder.name) / 'app.db'}")
        self._sessions = async_sessionmaker(self._engine)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Hand the task to FastAPI, to be run after the reply."""
        background.add_task(perform, task)

    async def stop(self) -> None:
        """Close the connections."""
        await self._engine.dispose()
        self._folder.cleanup()

    def _reader(self) -> Dependency:
        """Return the dependency of an endpoint that looks something up: who asks, for one."""

        async def session() -> AsyncIterator[AsyncSession]:
            async with self._sessions() as opened:
                yield opened

        async def read(session: Annotated[AsyncSession, Depends(session, scope=self.scope)]) -> None:
            await session.execute(READING)

        return Dependency(read)


class SessionPerFunction(SessionPerRequest):
    """Tuned: the session is closed before the reply leaves; tasks run as BackgroundTasks do."""

    scope = "function"

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.services = threads(settings.anyio_tokens, shares=["ping_sync"])
