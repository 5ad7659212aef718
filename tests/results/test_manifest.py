"""What a manifest answers about cores and software, whoever wrote it."""

from typing import Any

import pytest
from msgspec.structs import replace

from .conftest import MANIFEST


@pytest.mark.parametrize(
    ("pinning", "cores"),
    [
        ({"one-box": {"web": [0, 2]}}, (0, 2)),
        ({"one-box": {"web": []}}, ()),
        ({"one-box": {"worker": [0]}}, ()),
        ({"split": {"web": [0]}}, ()),
        ({"one-box": [0]}, ()),
        ({"one-box": {"web": "all"}}, ()),
        ({"one-box": {"web": ["0", 1]}}, (1,)),
    ],
    ids=str,
)
def test_only_numbers_in_a_list_are_cores(pinning: dict[str, Any], cores: tuple[int, ...]) -> None:
    assert replace(MANIFEST, pinning=pinning).cores("one-box", "web") == cores


@pytest.mark.parametrize("told", [None, "3.13", [], {}])
def test_a_python_told_in_another_form_says_nothing(told: Any) -> None:
    manifest = replace(MANIFEST, environment={"python": told})
    assert manifest.part("python") == {}
    assert manifest.served["python"] is None
    assert manifest.conditions["gil"] is True


def test_a_part_is_as_it_was_written() -> None:
    manifest = replace(MANIFEST, environment={"python": {"version": "3.13.1", "gil": False}})
    assert manifest.served["python"] == "3.13.1"
    assert manifest.conditions["gil"] is False
