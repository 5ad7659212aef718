from collections.abc import Iterator

import pytest

from harness.processes import Family, family


@pytest.fixture
def members() -> Iterator[Family]:
    """Give a family of processes that is gone after the test."""
    with family() as made:
        yield made
