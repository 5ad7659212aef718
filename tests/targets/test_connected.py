from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from harness.target.broker import Broker
from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.redis_broker import embedded_redis
from targets.connected import connected
from targets.redis_server import RedisServer


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with family() as members, embedded_redis(members, tmp_path, Pinning()) as made:
        yield made


def test_only_others_in_the_same_database_count(broker: Broker) -> None:
    server = RedisServer.parse(broker.url.removesuffix("/0") + "/3")
    assert not connected(server)
    with redis.Redis.from_url(server.url) as worker:
        worker.ping()
        assert connected(server)
        assert not connected(RedisServer.parse(broker.url.removesuffix("/0") + "/4"))
    assert not connected(server)
