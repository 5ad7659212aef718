from pathlib import Path

import pandas as pd
import pytest

from analysis.trials.load import load_campaign
from analysis.trials.points import find_points
from analysis.trials.summary import summarise

SMALL = Path(__file__).parents[2] / "results" / "published" / "pool-of-40"


@pytest.fixture(scope="session")
def small_summary() -> pd.DataFrame:
    """Give the summary of the published campaign with the fewest trials."""
    measured = load_campaign(SMALL)
    return pd.concat([summarise(frames, measured.manifest) for frames in measured.frames()])


@pytest.fixture(scope="session")
def summary_columns(small_summary: pd.DataFrame) -> set[str]:
    return set(small_summary.columns)


@pytest.fixture(scope="session")
def point_columns(small_summary: pd.DataFrame) -> set[str]:
    return set(find_points(small_summary, load_campaign(SMALL).manifest).columns)
