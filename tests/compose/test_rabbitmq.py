"""The RabbitMQ server that the compose file configures has a virtual host for each variant, and no other."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import amqp
import pytest

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.rabbitmq_server import Node
from results.waiting import wait_until
from tests.servers import rabbitmq

from .composefile import LIMIT_S, read

pytestmark = pytest.mark.e2e

COMPOSE = read()
URLS = [
    url
    for service in COMPOSE["services"].values()
    if (url := service.get("environment", {}).get("BLOCKPOINT_RABBITMQ_URL"))
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Give the port of a server that has the file's configuration, but for where that stands."""
    command = rabbitmq()
    folder = tmp_path_factory.mktemp("rabbitmq")
    texts = {name: config["content"] for name, config in COMPOSE["configs"].items()}
    configs = {each["source"]: each["target"] for each in COMPOSE["services"]["rabbitmq"]["configs"]}
    definitions = folder / "definitions.json"
    definitions.write_text(texts["virtual-hosts"])
    load = texts["load-virtual-hosts"].replace(configs["virtual-hosts"], str(definitions))
    (folder / "rabbitmq.conf").write_text(load)
    (folder / "enabled_plugins").write_text("[].\n")
    node = Node(folder, free_port(), free_port(), free_port(), password="")
    with family() as members:
        server = members.spawn("broker", [command], folder / "broker.log", node.environment(), Pinning())
        assert wait_until(lambda: not server.running or not reached(node.port, URLS[0]), LIMIT_S)
        yield node.port


def reached(port: int, url: str) -> str:
    """Return why a virtual host cannot be used; empty where it can."""
    parts = urlsplit(url)
    connection = amqp.Connection(
        f"127.0.0.1:{port}", parts.username or "", parts.password or "", virtual_host=parts.path[1:]
    )
    try:
        connection.connect()
        connection.channel().queue_declare("waiting")
    except (amqp.AMQPError, OSError) as error:
        return str(error)
    finally:
        connection.collect()
    return ""


def test_every_url_of_the_file_leads_to_a_virtual_host_that_its_user_may_use(port: int) -> None:
    assert len(set(URLS)) == 3
    assert [reached(port, url) for url in URLS] == [""] * len(URLS)
    assert reached(port, "amqp://guest:guest@rabbitmq/")
    assert reached(port, URLS[0].rpartition("/")[0] + "/another")
