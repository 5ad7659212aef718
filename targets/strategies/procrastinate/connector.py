"""A connection to PostgreSQL that finds procrastinate's tables there, or makes them."""

from typing import Any

from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager
from psycopg_pool import AsyncConnectionPool

LOCK = 0x70726F63
"""of whoever makes the tables: web and worker come up together"""


class Connector(PsycopgConnector):
    """What `procrastinate schema --apply` does before a deploy, done by the first that connects."""

    async def open_async(self, pool: "AsyncConnectionPool[Any] | None" = None) -> None:
        """Connect, and make the tables where they are missing."""
        await super().open_async(pool)
        async with self.pool.connection() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            found = await connection.execute("SELECT to_regclass('procrastinate_jobs')")
            if await found.fetchone() == (None,):
                await connection.execute(SchemaManager.get_schema())


class BackgroundPool(AsyncConnectionPool[Any]):
    """A pool that is open before its first connection is made, and goes on trying."""

    async def open(self, wait: bool = False, timeout: float = 30.0) -> None:  # noqa: ARG002, ASYNC109
        """Open it; whoever needs a connection waits for it then."""
        await super().open(wait=False)
