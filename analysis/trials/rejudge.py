"""The same trials under another limit: nothing is measured again, only counted again."""

from typing import Final

import pandas as pd
from msgspec.structs import replace

from analysis.trials.load import Frames
from analysis.trials.questions import judged
from analysis.trials.request_columns import slow_spells
from analysis.trials.step_rows import step_rows
from results.schema import Manifest

LIMITS_MS: Final = (25.0, 50.0, 100.0, 250.0, 500.0)
"""those that a page can be switched to"""
_ROW: Final = ["trial_id", "attempt", "step"]


def spells_by_limit(frames: Frames, manifest: Manifest) -> pd.DataFrame:
    """Return the slow spells of each step of a trial under every limit of a page, a row each."""
    limits_ms = limits_of(manifest)
    about = {"trial_id": frames.trial.plan.trial_id, "attempt": frames.trial.attempt}
    rows = []
    for index in range(len(frames.trial.load.steps)):
        by_limit = slow_spells(step_rows(frames, index), limits_ms)
        for limit_ms, spells in zip(limits_ms, by_limit, strict=True):
            rows.append(about | {"step": index, "limit_ms": limit_ms} | spells)
    return pd.DataFrame(rows)


def limits_of(manifest: Manifest) -> list[float]:
    """Return the limits of a campaign's page, its own among them."""
    return sorted({*LIMITS_MS, float(manifest.limit_ms)})


def rejudge(summary: pd.DataFrame, spells: pd.DataFrame, limit_ms: float) -> pd.DataFrame:
    """Return a summary with the slow spells and the verdicts of another limit; all else stays."""
    own = spells[spells["limit_ms"] == limit_ms].drop(columns="limit_ms").set_index(_ROW)
    told = own.reindex(pd.MultiIndex.from_frame(summary[_ROW])).reset_index(drop=True)
    counted = _with(summary.reset_index(drop=True), told)
    rows = ({str(name): value for name, value in row.items()} for row in counted.to_dict("records"))
    return _with(counted, pd.DataFrame([judged(row, limit_ms) for row in rows]))


def _with(table: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{str(name): columns[name] for name in columns})


def under(manifest: Manifest, limit_ms: float | None) -> Manifest:
    """Return a manifest with that limit in place of its own; None leaves it."""
    return manifest if limit_ms is None else replace(manifest, limit_ms=limit_ms)
