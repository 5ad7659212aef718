"""How often a client that outlives its server tries a command."""

import asyncio
import copy
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from targets.lasting import lasting
from targets.redis_server import RedisServer

RETRIES = 2


def test_the_tries_of_a_command_do_not_multiply_by_those_of_its_connection() -> None:
    options = lasting(RedisServer.parse("redis://127.0.0.1:1"), RETRIES)
    # each connection gets a copy
    retry = copy.deepcopy(options["retry"])
    tried = []

    async def connect() -> None:
        tried.append("connect")
        raise RedisConnectionError

    async def forget(_error: Any) -> None:
        """Do nothing about it."""

    async def command() -> None:
        await retry.call_with_retry(connect, forget)

    for _ in range(2):
        with pytest.raises(RedisConnectionError):
            asyncio.run(retry.call_with_retry(command, forget))
    assert len(tried) == 2 * (RETRIES + 1)
