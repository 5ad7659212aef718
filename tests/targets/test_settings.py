import asyncio
from pathlib import Path

import anyio.to_thread
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import BlockpointError
from targets.app import create_app
from targets.registry import find
from targets.settings import ANYIO_TOKENS, Settings


@given(
    st.builds(
        Settings,
        slots=st.integers(1, 1000),
        anyio_tokens=st.integers(1, 1000),
        cores=st.integers(1, 1024),
        units_per_ms_cpu=st.floats(0, 1e9),
        ledger=st.none() | st.just(Path("ledger")),
        nonce=st.just("n"),
        visibility_s=st.floats(0, 86_400),
        job_timeout_s=st.floats(0, 86_400),
        drills=st.booleans(),
    )
)
def test_environment_round_trip(settings: Settings) -> None:
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    "environ",
    [
        {"BLOCKPOINT_SLOTS": "many"},
        {"BLOCKPOINT_SLOTS": "0"},
        {"BLOCKPOINT_SLOTS": "inf"},
        {"BLOCKPOINT_SLOTS": "4.5"},
        {"BLOCKPOINT_ANYIO_TOKENS": "0"},
        {"BLOCKPOINT_ANYIO_TOKENS": "1001"},
        {"BLOCKPOINT_CORES": "-1"},
        {"BLOCKPOINT_CORES": "nan"},
        {"BLOCKPOINT_VISIBILITY_S": "-1"},
        {"BLOCKPOINT_VISIBILITY_S": "nan"},
        {"BLOCKPOINT_JOB_TIMEOUT_S": "86401"},
        {"BLOCKPOINT_JOB_TIMEOUT_S": "soon"},
        {"BLOCKPOINT_DRILLS": "perhaps"},
    ],
)
def test_bad_values_are_refused_in_one_line(environ: dict[str, str]) -> None:
    with pytest.raises(BlockpointError) as refusal:
        Settings.from_environment(environ)
    assert "\n" not in str(refusal.value)


async def _tokens() -> float:
    return anyio.to_thread.current_default_thread_limiter().total_tokens


def test_a_web_process_has_as_many_tokens_as_it_is_told() -> None:
    assert asyncio.run(_tokens()) == ANYIO_TOKENS

    async def served() -> float:
        app = create_app(find("inline"), "default", settings)
        async with app.router.lifespan_context(app):
            return await _tokens()

    settings = Settings(anyio_tokens=100, units_per_ms_cpu=1.0, units_per_ms_cpu_native=1.0)
    assert asyncio.run(served()) == 100
