"""What is left in a stream: its entries stay when they have been acknowledged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.target.broker import Broker
from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.redis_broker import embedded_redis

STREAM = "tasks"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    folder: Path = tmp_path_factory.mktemp("broker")
    with family() as members, embedded_redis(members, folder, Pinning()) as broker:
        yield broker


@pytest.fixture
def broker(server: Broker) -> Broker:
    server.client.flushdb()
    for number in range(1, 6):
        server.client.xadd(STREAM, {"data": f"task {number:016x} waits"})
    return server


def left(broker: Broker) -> tuple[int, set[int]]:
    return broker.depth([STREAM]), broker.task_ids([STREAM])


def read(broker: Broker, group: str, count: int) -> list[bytes]:
    answer: Any = broker.client.xreadgroup(group, "consumer", {STREAM: ">"}, count=count)
    ((_, entries),) = answer
    return [entry for entry, _ in entries]


def test_without_a_group_all_of_it_waits(broker: Broker) -> None:
    assert left(broker) == (5, {1, 2, 3, 4, 5})


def test_what_is_delivered_waits_until_it_is_acknowledged(broker: Broker) -> None:
    broker.client.xgroup_create(STREAM, "group", id="0")
    first, second = read(broker, "group", 2)
    assert left(broker) == (5, {1, 2, 3, 4, 5})
    broker.client.xack(STREAM, "group", second)
    assert left(broker) == (4, {1, 3, 4, 5})
    broker.client.xack(STREAM, "group", first)
    read(broker, "group", 9)
    assert left(broker) == (3, {3, 4, 5})
    assert broker.named() == {3, 4, 5}


def test_a_group_that_begins_at_the_end_never_gets_what_was_there(broker: Broker) -> None:
    broker.client.xgroup_create(STREAM, "group", id="$")
    assert left(broker) == (0, set())
    broker.client.xadd(STREAM, {"data": f"{6:016x}"})
    assert left(broker) == (1, {6})


def test_what_was_deleted_while_it_was_pending_is_held_no_more(broker: Broker) -> None:
    broker.client.xgroup_create(STREAM, "group", id="0")
    (first,) = read(broker, "group", 1)
    broker.client.xdel(STREAM, first)
    assert broker.task_ids([STREAM]) == {2, 3, 4, 5}


def test_of_several_groups_each_must_have_it(broker: Broker) -> None:
    for group, position in (("eager", "0"), ("late", "0")):
        broker.client.xgroup_create(STREAM, group, id=position)
    broker.client.xack(STREAM, "eager", *read(broker, "eager", 5))
    broker.client.xack(STREAM, "late", *read(broker, "late", 2))
    assert left(broker) == (3, {3, 4, 5})
