import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from harness.processes import Family, family


def pytest_configure() -> None:
    """Let whom we start hear Ctrl-C, which a shell denies its background jobs, and time no example."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


@pytest.fixture
def members() -> Iterator[Family]:
    """Give a family of processes that is gone after the test."""
    with family() as made:
        yield made
