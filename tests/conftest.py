import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from harness.target.processes import Family, family


def pytest_configure() -> None:
    """Let whom we start hear Ctrl-C, which a shell denies its background jobs, and time no example.

    How long an example or its making takes says how busy the machine is.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("untimed")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Raise where two tests share an id: of those, pytest-xdist would run one."""
    times = Counter(item.nodeid for item in session.items)
    if twice := [test for test, count in times.items() if count > 1]:
        raise pytest.UsageError(f"{len(twice)} ids stand for more than one test, such as {twice[0]}")


@pytest.fixture
def members() -> Iterator[Family]:
    """Give a family of processes that is gone after the test."""
    with family() as made:
        yield made
