from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import BlockpointError
from targets.settings import Settings


@given(
    slots=st.integers(1, 1000),
    cores=st.integers(1, 1024),
    units=st.floats(0, 1e9),
    folder=st.none() | st.just(Path("ledger")),
)
def test_environment_round_trip(slots: int, cores: int, units: float, folder: Path | None) -> None:
    settings = Settings(slots=slots, cores=cores, units_per_ms_cpu=units, ledger=folder, nonce="n")
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    "environ",
    [{"BLOCKPOINT_SLOTS": "many"}, {"BLOCKPOINT_SLOTS": "0"}, {"BLOCKPOINT_CORES": "-1"}],
)
def test_bad_values_are_refused_in_one_line(environ: dict[str, str]) -> None:
    with pytest.raises(BlockpointError) as refusal:
        Settings.from_environment(environ)
    assert "\n" not in str(refusal.value)
