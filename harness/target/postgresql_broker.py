"""A PostgreSQL server as a broker, and the embedded one that is ours."""

import contextlib
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from harness.target.broker import Broker, answering, free_port, write_privately
from harness.target.cores import Pinning
from harness.target.postgresql_server import give, open_way, programs, run, user
from harness.target.processes import Child, Family
from results.errors import BlockpointError
from targets import depths

CONNECT_TIMEOUT_S = 2
QUERY_LIMIT = "-c statement_timeout=5000"
HARNESS, TARGET = "harness", "target"
SEGMENT_LINE = 6
"""of postmaster.pid: the key and the number of the server's segment of shared memory"""
TABLES: LiteralString = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
ADMISSION: tuple[LiteralString, ...] = (
    "CREATE ROLE {user} LOGIN PASSWORD {password}",
    "GRANT ALL ON SCHEMA public TO {user}",
)
SHOWN = ("fsync", "synchronous_commit")


class PostgresqlBroker(Broker):
    """A connection to a database of a PostgreSQL server.

    A queue is named `table/status`: the rows of a table whose column `status` has that value.
    """

    silences = (psycopg.Error,)

    def __init__(
        self, url: str, child: Child | None = None, *, own_url: str = "", data: Path | None = None
    ) -> None:
        self.url = url
        self.child = child
        self._own_url = own_url or url
        self._data = data
        self._connection: psycopg.Connection | None = None

    def describe(self) -> dict[str, str]:
        """Return the server's name, version and persistence, for the manifest."""
        version = self._rows(sql.SQL("SHOW server_version"))[0][0].split()[0]
        settings = {name: self._rows(sql.SQL("SHOW {}").format(sql.Identifier(name)))[0][0] for name in SHOWN}
        return {
            "server": "postgresql",
            "version": version,
            "embedded": str(self.child is not None),
            **settings,
        }

    def depth(self, queues: Iterable[str]) -> int:
        """Return how many rows the queues hold."""
        return sum(depths.of_postgresql(self._connected(), queue) for queue in queues)

    def entries(self, queue: str) -> list[bytes]:
        """Return a queue's rows as text."""
        rows = self._of("SELECT job::text FROM {} AS job WHERE status = %s", queue)
        return [text.encode() for (text,) in rows]

    def contents(self) -> Iterator[bytes]:
        """Yield every row of every table as text."""
        for (table,) in self._rows(sql.SQL(TABLES)):
            every = sql.SQL("SELECT any_row::text FROM {} AS any_row").format(sql.Identifier(table))
            yield from (text.encode() for (text,) in self._rows(every))

    def ping(self) -> bool:
        """Say whether the server answers."""
        return bool(self._rows(sql.SQL("SELECT 1")))

    def await_answer(self) -> None:
        """Wait until an embedded server answers; raises BlockpointError where it does not."""
        super().await_answer()
        if self._data:
            _leave_no_segment(self._data)

    def admit(self, password: str) -> None:
        """Make the target's user, who governs nothing."""
        for statement in ADMISSION:
            given = sql.SQL(statement).format(user=sql.Identifier(TARGET), password=password)
            self._connected().execute(given)

    def close(self) -> None:
        """Close our connection."""
        if self._connection:
            self._connection.close()

    def _of(self, query: LiteralString, queue: str) -> list[tuple[Any, ...]]:
        table, _, status = queue.partition("/")
        return self._rows(sql.SQL(query).format(sql.Identifier(table)), status)

    def _rows(self, query: sql.SQL | sql.Composed, *values: object) -> list[tuple[Any, ...]]:
        return self._connected().execute(query, values).fetchall()

    def _connected(self) -> psycopg.Connection:
        """Return our connection, a new one where the server was started again meanwhile."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._own_url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, options=QUERY_LIMIT
            )
        return self._connection


@contextlib.contextmanager
def embedded_postgresql(
    family: Family,
    folder: Path,
    pinning: Pinning,
    *,
    appendonly: bool = False,  # noqa: ARG001
) -> Iterator[PostgresqlBroker]:
    """Start a server of our own on a free loopback port, as it comes: it writes its log ahead in any case.

    It takes nobody without a password, and lets a target do nothing that governs the server. Raises
    NoEnvironmentError where there is no server, BlockpointError where it does not start.
    """
    port, passwords = free_port(), {name: secrets.token_hex(16) for name in (HARNESS, TARGET)}
    data = folder / "data"
    _initialise(family, data, passwords[HARNESS])
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(_configuration(port))
    command = [str(programs() / "postgres"), "-D", str(data)]
    child = family.spawn("broker", command, folder / "broker.log", {}, pinning, user=user())
    urls = {name: f"postgresql://{name}:{word}@127.0.0.1:{port}/postgres" for name, word in passwords.items()}
    ours = PostgresqlBroker(urls[TARGET], child, own_url=urls[HARNESS], data=data)
    with answering(ours, family) as broker:
        broker.admit(passwords[TARGET])
        yield broker


def _initialise(family: Family, data: Path, password: str) -> None:
    """Make the server's folder; its administrator's password is in no file afterwards."""
    data.mkdir(parents=True, mode=0o700)
    open_way(data.parent, family.folder)
    secret = data.with_name("password")
    write_privately(secret, password)
    for ours in (data, secret):
        give(ours)
    try:
        run(
            programs() / "initdb",
            *("--pgdata", data, "--username", HARNESS, "--pwfile", secret),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"),
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = " ".join((getattr(error, "stderr", "") or str(error)).split())
        raise BlockpointError(f"PostgreSQL cannot make its folder: {said[-400:]}") from None
    finally:
        secret.unlink()


def _configuration(port: int) -> str:
    """Return what differs from PostgreSQL's own settings: only where it listens and what it leaves behind."""
    return (
        f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n"
        "dynamic_shared_memory_type = mmap\n"  # in its folder, which goes with it
    )


def _leave_no_segment(data: Path) -> None:
    """Have the system drop the server's segment of shared memory with its last process, however that ends."""
    with contextlib.suppress(OSError, IndexError, subprocess.SubprocessError):
        written = (data / "postmaster.pid").read_text().splitlines()
        run("ipcrm", "-m", written[SEGMENT_LINE].split()[1])
