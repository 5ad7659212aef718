"""A RabbitMQ server of our own: who may use it, what it tells of its queues, and that nothing of it stays."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import amqp
import psutil
import pytest

from harness.target.cores import Pinning
from harness.target.lineage import tree
from harness.target.processes import Family, family
from harness.target.rabbitmq_broker import RabbitmqBroker, embedded_rabbitmq
from harness.target.rabbitmq_server import unacknowledged
from results.errors import BlockpointError
from tests.servers import rabbitmq

pytestmark = pytest.mark.e2e

QUEUE = "waiting"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Family, RabbitmqBroker]]:
    rabbitmq()
    folder = tmp_path_factory.mktemp("broker")
    with family() as members, embedded_rabbitmq(members, folder, Pinning()) as broker:
        yield members, broker


@contextlib.contextmanager
def channel(url: str, password: str = "") -> Iterator[Any]:
    parts = urlsplit(url)
    host, word = f"{parts.hostname}:{parts.port}", password or parts.password
    connection = amqp.Connection(host, parts.username or "", word or "", confirm_publish=True)
    try:
        connection.connect()
        with connection.channel() as opened:
            yield opened
    finally:
        connection.collect()


def publish(broker: RabbitmqBroker, *ids: str) -> None:
    """Put durable messages that name these tasks into the queue."""
    with channel(broker.url) as opened:
        opened.queue_declare(QUEUE, durable=True, auto_delete=False)
        for task_id in ids:
            message = amqp.Message(f'["{task_id}"]', delivery_mode=2)
            opened.basic_publish(message, routing_key=QUEUE)


def test_it_takes_nobody_without_the_password(running: tuple[Family, RabbitmqBroker]) -> None:
    _, broker = running
    with pytest.raises(amqp.AccessRefused), channel(broker.url, "guest"):
        pass
    assert broker.describe()["server"] == "rabbitmq"


def test_it_listens_on_loopback_alone(running: tuple[Family, RabbitmqBroker]) -> None:
    members, broker = running
    assert broker.child is not None
    heard = {
        connection.laddr.ip
        for process in psutil.process_iter()
        if process.pid in tree(broker.child.pid) or _is_ours(process, members)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert heard <= {"127.0.0.1", "::1"}
    assert heard


def test_what_is_fetched_and_not_acknowledged_is_counted(running: tuple[Family, RabbitmqBroker]) -> None:
    _, broker = running
    publish(broker, *(secrets.token_hex(8) for _ in range(3)))
    with channel(broker.url) as opened:
        assert all(opened.basic_get(QUEUE) for _ in range(2))
        assert (broker.depth([QUEUE]), broker.unseen()) == (1, 2)
    assert (broker.depth([QUEUE]), broker.unseen()) == (3, 0)
    with channel(broker.url) as opened:
        opened.queue_purge(QUEUE)


def test_a_server_that_does_not_tell_is_no_empty_one(tmp_path: Path) -> None:
    rabbitmq()
    nobody = {"HOME": str(tmp_path), "RABBITMQ_NODENAME": "nobody@localhost"}
    with pytest.raises(BlockpointError, match="did not tell about its queues"):
        unacknowledged(nobody)


def test_it_keeps_durable_messages_and_tells_which(running: tuple[Family, RabbitmqBroker]) -> None:
    members, broker = running
    ids = [secrets.token_hex(8) for _ in range(3)]
    wanted = {int(task_id, 16) for task_id in ids}
    publish(broker, *ids)
    for _ in range(2):
        assert broker.depth([QUEUE, "nowhere"]) == 3
        assert broker.holdings([QUEUE, "nowhere"]) == {QUEUE: wanted, "nowhere": set()}
        assert wanted <= broker.named()
    assert broker.child is not None
    broker.child.kill()
    broker.child = members.again(broker.child)
    broker.await_answer()
    assert broker.task_ids([QUEUE]) == wanted


def test_nothing_of_it_stays(tmp_path: Path) -> None:
    rabbitmq()
    with family() as members, embedded_rabbitmq(members, tmp_path, Pinning()) as broker:
        assert broker.child is not None
        assert psutil.pid_exists(broker.child.pid)
    assert not [process for process in psutil.process_iter() if _is_ours(process, members)]


def _is_ours(process: psutil.Process, members: Family) -> bool:
    with contextlib.suppress(psutil.Error):
        return members.marker in process.environ().values()
    return False
