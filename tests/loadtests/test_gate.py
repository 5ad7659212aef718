from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.gate import Figures, reasons_against

GOOD = Figures(
    scheduled=1000,
    slip_p99_ms=0.3,
    accept_p50_ms=2.0,
    shed=0,
    achieved_ratio=1.0,
    cpu_cores=0.3,
    sockets_max=40,
)


def words(figures: Figures, **options: Any) -> list[str]:
    return [reason.split(":")[0] for reason in reasons_against(figures, **options)]


def test_a_clean_run_passes() -> None:
    assert reasons_against(GOOD) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"slip_p99_ms": 1.0}, "slip"),
        ({"slip_p99_ms": float("nan")}, "slip"),
        ({"shed": 1}, "shed"),
        ({"achieved_ratio": 0.98}, "rate"),
        ({"cpu_cores": 0.9}, "cpu"),
        ({"sockets_max": 1000}, "sockets"),
        ({"errors": {"tasks: timeout": 2}}, "errors"),
        ({"interrupted": True}, "interrupted"),
        ({"clock_uncertainty_ms": 1.0}, "clocks"),
        ({"lost": ["host_1"]}, "lost"),
        ({"overdue_share": 0.06}, "late"),
        ({"scheduled": 0}, "empty"),
    ],
)
def test_each_fault_has_its_own_reason(change: dict[str, Any], word: str) -> None:
    assert words(replace(GOOD, **change)) == [word]


def test_a_slip_that_is_small_beside_the_latency_passes() -> None:
    assert words(replace(GOOD, slip_p99_ms=3.0, accept_p50_ms=200.0)) == []
    assert words(replace(GOOD, slip_p99_ms=5.0, accept_p50_ms=200.0)) == ["slip"]


def test_a_tolerated_slip_replaces_the_lowest_limit_only() -> None:
    late = replace(GOOD, slip_p99_ms=1.9)
    assert words(late) == ["slip"]
    assert words(late, tolerated_slip_ms=2.0) == []
    assert words(GOOD, tolerated_slip_ms=0.2) == ["slip"]
    assert words(replace(late, accept_p50_ms=200.0), tolerated_slip_ms=0.2) == []


@pytest.mark.parametrize(
    ("why", "change", "found"),
    [
        ("the target does not answer", {}, []),
        ("a limit that the wait does not exceed", {"shed_wait_ms": 100.0}, ["shed"]),
        ("more connections than answers need", {"shed_wait_ms": 45.0}, ["shed"]),
        ("nothing of it was measured", {"shed_wait_ms": 0.0}, ["shed"]),
        ("unknown", {"shed_wait_ms": float("nan")}, ["shed"]),
        ("a late generator", {"slip_p99_ms": 30.0}, ["slip", "shed"]),
        ("a busy generator", {"cpu_cores": 0.86}, ["shed", "cpu"]),
        ("a generator that fell short as well", {"achieved_ratio": 0.9}, ["rate"]),
    ],
)
def test_what_is_shed_is_the_target_s_doing_only_where_the_generator_is_in_order(
    why: str, change: dict[str, Any], found: list[str]
) -> None:
    stuck = replace(GOOD, accept_p50_ms=600.0, shed=1_155, shed_wait_ms=604.0)
    assert words(replace(stuck, **change)) == found, why
    assert words(stuck, slo_ms=1_000.0) == ["shed"]


def test_wanted_overload_is_no_fault_of_the_run() -> None:
    overloaded = replace(GOOD, errors={"tasks: status 503": 7})
    assert words(overloaded, allow_errors=True) == []
    assert words(replace(overloaded, shed=1), allow_errors=True) == ["shed"]


def test_a_closed_loop_cannot_be_late() -> None:
    assert words(replace(GOOD, slip_p99_ms=50.0, achieved_ratio=0.2), closed=True) == []


@given(
    st.builds(
        Figures,
        scheduled=st.integers(0, 10**6),
        slip_p99_ms=st.floats(),
        accept_p50_ms=st.floats(0, 1e5),
        shed=st.integers(0, 100),
        shed_wait_ms=st.floats(0, 1e5),
        achieved_ratio=st.floats(0, 2),
        cpu_cores=st.floats(0, 2),
        sockets_max=st.integers(0, 2000),
        interrupted=st.booleans(),
    )
)
def test_what_passes_breaks_no_limit(figures: Figures) -> None:
    if not reasons_against(figures):
        assert figures.slip_p99_ms < max(1.0, 0.02 * figures.accept_p50_ms)
        assert figures.achieved_ratio >= 0.99
        assert figures.cpu_cores < 0.85
        assert not figures.shed or figures.shed_wait_ms > 100
        assert not figures.interrupted
