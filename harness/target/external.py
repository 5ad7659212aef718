"""A server that the user names: its database is one command's at a time, and empty before and after.

A key names the command that uses the database. It ends by itself where nobody renews it: a command that was
killed locks nobody out.
"""

import contextlib
import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import redis

from harness.target.redis_broker import RedisBroker, client_of
from results.errors import BlockpointError

KEY = "blockpoint:owner"
LASTS_S = 60
RENEWED_EVERY_S = 15
_TOKEN = secrets.token_hex(16)
"""tells this process from all others"""


class Claim:
    """This process's claim to a database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = client_of(url)
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
        self._value = f"{_TOKEN} {command} (process {os.getpid()} on {socket.gethostname()})".encode()
        self._over = threading.Event()

    def take(self) -> bool:
        """Claim the database and say whether that is new; raises BlockpointError where it is another's."""
        new = bool(self._client.set(KEY, self._value, nx=True, ex=LASTS_S))
        if not new and (holder := self._client.get(KEY)) != self._value:
            raise self._taken(holder)
        return new

    def renew(self) -> None:
        """Make the claim last, until it is released; one that was flushed away is made again."""
        while not self._over.wait(RENEWED_EVERY_S):
            with contextlib.suppress(redis.RedisError, OSError, BlockpointError):
                self.take()
                self._client.expire(KEY, LASTS_S)

    def others(self) -> int:
        """Return how many keys there are besides the claim's."""
        return int(self._client.dbsize()) - int(self._client.exists(KEY))

    def empty(self) -> None:
        """Drop everything but the claim; raises BlockpointError where the database is another's meanwhile."""

        def all_at_once(pipe: Any) -> None:
            holder = pipe.get(KEY)
            if holder not in (None, self._value):
                raise self._taken(holder)
            pipe.multi()
            pipe.flushdb()
            pipe.set(KEY, self._value, ex=LASTS_S)

        self._client.transaction(all_at_once, KEY)

    def release(self) -> None:
        """Let go of the database."""
        self._over.set()
        with contextlib.suppress(redis.RedisError, OSError):
            if self._client.get(KEY) == self._value:
                self._client.delete(KEY)

    def close(self) -> None:
        """Close our connection."""
        self._client.close()

    def _taken(self, holder: bytes | None) -> BlockpointError:
        _, _, words = (holder or b"").decode(errors="replace").partition(" ")
        who = " ".join(words.split())[:200] or "another command"
        return BlockpointError(
            f"the database {self._url} is being used by {who}: wait for it or name another one; where it was "
            f"killed, its claim ends within {LASTS_S} s"
        )


@contextlib.contextmanager
def owning(url: str) -> Iterator[None]:
    """Claim a database for as long as a command lasts, and say so; does nothing for the embedded broker."""
    if not url:
        yield
        return
    with _claimed(url):
        click.echo(BlockpointError(f"broker: the database {url}, which is emptied afterwards"), err=True)
        yield


@contextlib.contextmanager
def external_broker(url: str) -> Iterator[RedisBroker]:
    """Use a running server; its database must be empty, and is emptied again in the end."""
    with _claimed(url) as claim:
        try:
            with contextlib.closing(RedisBroker(url, None)) as broker:
                yield broker
        finally:
            with contextlib.suppress(redis.RedisError, OSError):
                claim.empty()


@contextlib.contextmanager
def _claimed(url: str) -> Iterator[Claim]:
    """Claim an empty database; a claim within one of the same process lasts as long as that one."""
    with _explained(url):
        claim = Claim(url)
        new = claim.take()
    try:
        with _explained(url):
            _check(claim, url)
        if new:
            threading.Thread(target=claim.renew, name="claim", daemon=True).start()
        yield claim
    finally:
        if new:
            claim.release()
        claim.close()


def _check(claim: Claim, url: str) -> None:
    """Raise where the database holds anything, or its user may not do what a run does."""
    if held := claim.others():
        raise BlockpointError(
            f"the database {url} already holds {held} keys, which the run would delete: name an empty one"
        )
    claim.empty()
    with contextlib.closing(RedisBroker(url, None)) as broker:
        broker.describe()


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn what a client raises into one line."""
    try:
        yield
    except redis.exceptions.NoPermissionError as error:
        raise BlockpointError(
            f"the user of {url} may not do what a run does: {_line(error)}; besides what the libraries use, "
            "it needs INFO, DBSIZE and FLUSHDB"
        ) from None
    except (redis.RedisError, ValueError, OSError) as error:
        raise BlockpointError(f"no Redis answers at {url}: {_line(error)}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
