"""Hosts of our own on one machine, for tests: those of the benchmarks, or a reason why not."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import hosts
from benchmarks.hosts import AbsentError, Host


@contextmanager
def network(*clocks_s: int) -> Iterator[list[Host]]:
    """Yield a host for each clock, so many seconds ahead; skips where namespaces are not allowed."""
    try:
        hosts.require_hosts()
    except AbsentError as error:
        pytest.skip(str(error))
    with hosts.network(*clocks_s) as made:
        yield made
