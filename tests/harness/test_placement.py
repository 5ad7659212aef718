import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.target import cores as pinning
from harness.target.cores import Pinning, available_cores, choose
from harness.target.placement import BY_RULE, Placement
from results.errors import BlockpointError


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend that there are four cores."""
    monkeypatch.setattr(pinning.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    available_cores.cache_clear()
    yield
    available_cores.cache_clear()


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend to be a platform that cannot pin."""
    for name in ("sched_getaffinity", "sched_setaffinity", "sched_setscheduler", "SCHED_IDLE"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    available_cores.cache_clear()
    yield
    available_cores.cache_clear()


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize("topology", ["one-box", "split"])
def test_without_a_wish_the_topology_decides(topology: str) -> None:
    assert Placement.parse("") == BY_RULE
    assert Placement.parse("").pinning(topology) == choose(topology, [0, 1, 2, 3])


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("text", "placed"),
    [
        ("web=0,worker=1,broker=2,generator=3", ((0,), (1,), (2,), (3,), False, "as asked")),
        ("web=0, worker=1-2, generator=3", ((0,), (1, 2), (0, 1, 2), (3,), False, "as asked")),
        ("web=1,0,1", ((0, 1), (0, 1, 2), (0, 1, 2), (3,), False, "as asked")),
        ("worker=2-3", ((0, 1, 2), (2, 3), (0, 1, 2), (3,), True, "as asked")),
    ],
)
def test_asked_cores_are_given_and_the_rest_follows_the_rule(text: str, placed: tuple[Any, ...]) -> None:
    assert Placement.parse(text).pinning("one-box") == Pinning(*placed)


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("topology", "cores", "web", "worker"),
    [
        ("one-box", range(8), range(7), range(7)),
        ("split", range(8), [0], range(1, 7)),
        ("split", range(2), [0], [1]),
        ("one-box", [], [], []),
    ],
)
def test_a_target_on_another_host_has_the_cores_that_it_would_have_beside_a_generator(
    topology: str, cores: Sequence[int], web: Sequence[int], worker: Sequence[int]
) -> None:
    for text, generator in (("", (3,)), ("generator=1-2", (1, 2))):
        placed = replace(Placement.parse(text), elsewhere=tuple(cores)).pinning(topology)
        assert (placed.web, placed.worker, placed.generator) == (tuple(web), tuple(worker), generator)
        assert not placed.workers_give_way


@pytest.mark.parametrize(
    ("generators", "cores", "placed", "note"),
    [
        (2, [0, 1, 2, 3], ((0, 1), (2, 3)), ""),
        (3, [0, 1, 2, 3], ((0,), (1, 2, 3)), ""),
        (4, [0, 1], ((0,), (1,)), "4 generators share 1 core"),
    ],
)
def test_each_of_several_generators_has_a_core_and_the_target_at_least_one(
    generators: int, cores: list[int], placed: tuple[Any, ...], note: str
) -> None:
    pinning = choose("one-box", cores, generators)
    assert ((pinning.web, pinning.generator), pinning.note) == (placed, note)
    own = {pinning.of_generator(index).generator for index in range(generators)}
    assert own == {(core,) for core in pinning.generator}
    assert choose("split", cores, generators).generator == pinning.generator


@pytest.mark.usefixtures("four")
def test_a_generator_beside_the_target_is_said_in_the_note() -> None:
    assert "shares a core with the target" in Placement.parse("web=0,generator=0").pinning("one-box").note


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wbe=0", "did you mean 'web'"),
        ("0,1", "names no role"),
        ("web=x", "'x' is not a core"),
        ("web=", "is not a core"),
        ("web=2-1", "'2-1' is not a core"),
        ("web=0-99999999999", "is not a core"),
        ("web=-1", "is not a core"),
        ("worker=2-7", "core 4 is not available here; there are 0, 1, 2, 3"),
    ],
)
def test_a_bad_wish_is_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(BlockpointError, match=r"--cores") as refusal:
        Placement.parse(text)
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("cores", [[], [0], [0, 1], [0, 1, 2, 3]])
@pytest.mark.parametrize("topology", ["one-box", "split"])
def test_a_manifest_gives_the_pinning_back(topology: str, cores: list[int]) -> None:
    chosen = choose(topology, cores)
    assert Pinning.described(chosen.describe()) == chosen


@pytest.mark.usefixtures("mac")
def test_a_platform_that_cannot_pin_says_so_and_goes_on() -> None:
    unpinned = BY_RULE.pinning("one-box")
    assert "cannot pin" in unpinned.describe()["note"]
    unpinned.apply(os.getpid(), "web")
    with pytest.raises(BlockpointError, match="cannot pin"):
        Placement.parse("web=0")
