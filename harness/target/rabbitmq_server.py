"""Where a RabbitMQ server is found on this machine, and how one of our own is started beside no other."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from harness.target.uv import NoEnvironmentError
from results.errors import BlockpointError

USER: Final = "target"
ASKING_LIMIT_S: Final = 60
DEBIANS: Final = "/usr/lib/rabbitmq/bin/rabbitmq-server"
"""what Debian's command of that name starts as another user and from another folder"""


@cache
def program() -> str:
    """Return the script that starts a server; raises NoEnvironmentError where none is installed."""
    found = shutil.which(DEBIANS) or shutil.which("rabbitmq-server")
    if not found:
        raise NoEnvironmentError(
            "no RabbitMQ: the command rabbitmq-server is not installed; install Debian's package of that name"
        )
    return found


def unacknowledged(environment: Mapping[str, str]) -> int:
    """Return how many messages consumers of a node have fetched and not acknowledged.

    Its own command asks it, which takes a second: a client can ask for what waits only. Raises
    BlockpointError where it does not answer.
    """
    command = [str(Path(program()).with_name("rabbitmqctl")), "--quiet", "--no-table-headers", "list_queues"]
    try:
        told = subprocess.run(
            [*command, "messages_unacknowledged"],
            env={"PATH": os.defpath, **environment},
            capture_output=True,
            text=True,
            timeout=ASKING_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BlockpointError(f"RabbitMQ did not tell about its queues within {ASKING_LIMIT_S} s") from None
    if told.returncode:
        said = (told.stderr or told.stdout).strip().splitlines()
        raise BlockpointError(f"RabbitMQ did not tell about its queues: {said[-1] if said else 'no reason'}")
    return sum(int(line) for line in told.stdout.split() if line.isdecimal())


@dataclass(frozen=True)
class Node:
    """A node that stands alone: own folder, own ports on loopback, own name service, no plugins."""

    folder: Path
    port: int
    distribution_port: int
    names_port: int
    """of `epmd`, the name service that Erlang starts"""
    password: str

    @property
    def url(self) -> str:
        """The address with user and password, as Celery reads it."""
        return f"amqp://{USER}:{self.password}@127.0.0.1:{self.port}//"

    def environment(self) -> dict[str, str]:
        """Return the variables that keep the server's script off every file but ours.

        Told that a service manager runs it, the script becomes the server: a signal to its process then
        reaches the server.
        """
        return {
            "HOME": str(self.folder),  # of the cookie by which nodes know each other
            "RUNNING_UNDER_SYSTEMD": "true",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self.names_port),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "no-such-file"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "no-such-file"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_NODENAME": "blockpoint@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }

    def configuration(self) -> str:
        """Return the server's configuration: who may use it, and what it says."""
        return "\n".join(
            [
                f"default_user = {USER}",
                f"default_pass = {self.password}",
                "default_user_tags.administrator = false",
                "loopback_users = none",
                "log.console.level = warning",
                "",
            ]
        )
