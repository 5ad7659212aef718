"""What a service's blocking point says of the cause."""

import pytest

from analysis.trials.culprit import culprit_of
from results.schema import Subject

SHOP = Subject(
    strategy="shop",
    variant="service",
    summary="",
    services={},
    asked={"accept": "POST /orders", "bystander_1": "GET /health", "bystander_2": "GET /orders"},
)


@pytest.mark.parametrize(
    ("by", "core_bound", "slow", "fast", "said"),
    [
        (
            ["bystander 2", "accept"],
            "",
            ("GET /orders", "POST /orders"),
            ("GET /health",),
            "something that GET /orders and POST /orders wait for and GET /health does not need",
        ),
        (["bystander 2"], "", ("GET /orders",), ("POST /orders", "GET /health"), "GET /health do not need"),
        (
            ["accept"],
            "",
            ("POST /orders",),
            ("GET /health", "GET /orders"),
            "POST /orders alone waits for",
        ),
        (["accept", "bystander 1", "bystander 2"], "", None, (), "the event loop, held by blocking code"),
        (["accept", "bystander 2"], "web", None, ("GET /health",), "the core of the web process"),
    ],
    ids=["shared", "a bystander alone", "the task alone", "everything", "a full core"],
)
def test_who_waits_and_who_does_not_tells_the_cause(
    by: list[str], core_bound: str, slow: tuple[str, ...] | None, fast: tuple[str, ...], said: str
) -> None:
    found = culprit_of(by, core_bound, SHOP)
    assert slow is None or found.slow == slow
    assert found.fast == fast
    assert said in found.words
    assert found.shared == bool(fast and not core_bound)


def test_where_nothing_was_slow_nothing_is_said_to_be_the_cause() -> None:
    found = culprit_of([], "", SHOP)
    assert (found.slow, found.fast, found.words, found.shared) == ((), (), "", False)
