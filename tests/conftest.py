import signal
from collections.abc import Iterator

import pytest

from harness.processes import Family, family


def pytest_configure() -> None:
    """Undo what a shell does to its background jobs: whom we start must hear Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def members() -> Iterator[Family]:
    """Give a family of processes that is gone after the test."""
    with family() as made:
        yield made
