"""The one server that no file of ours can install: its tests are skipped where a machine has none."""

import pytest

from harness.target.rabbitmq_server import program
from harness.target.uv import NoEnvironmentError


def rabbitmq() -> str:
    """Return the script that starts a RabbitMQ server; skips the test, with what is missing, without one."""
    try:
        return program()
    except NoEnvironmentError as error:
        pytest.skip(str(error))
