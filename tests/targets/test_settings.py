from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import BlockpointError
from targets.settings import Settings


@given(
    st.builds(
        Settings,
        slots=st.integers(1, 1000),
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
