from collections.abc import Iterator

import pytest

from .blockpoint import end_started


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Leave no command to the tests that follow."""
    yield
    end_started()
