import signal
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from harness.target.processes import Family, family
from tests.selection import CHOICES, left_out, strategy_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person choose which strategies are tested."""
    words = "whose tests run beside the usual ones: nobody's, those of which a file changed, or all"
    parser.addoption("--strategies", choices=CHOICES, default="usual", help=words)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of strategies that were not chosen."""
    if names := left_out(config.getoption("--strategies")):
        items[:] = [item for item in items if not strategy_of(item.nodeid, names)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say whose tests were left out, and how they are run."""
    if names := left_out(config.getoption("--strategies")):
        terminalreporter.write_line(
            f"left out: {', '.join(sorted(names))}; `make test STRATEGIES=changed`, or `all`, runs them too"
        )


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
