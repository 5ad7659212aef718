"""What a step used of the machine, as columns of a row of the summary, and what others took of it."""

from typing import Any

import numpy as np
import pandas as pd

from results.findings import Noise
from results.load import Step
from results.percentile import percentile
from results.roles import ROLES
from results.schema import Trial
from results.terms import NEVER


def resource_columns(rows: pd.DataFrame, step: Step) -> dict[str, Any]:
    """Return what each role used while the step was measured, NaN where it has no process here."""
    at = rows["at_ns"].to_numpy()
    rows = rows[(at >= step.measure_from_ns) & (at < step.to_ns)]
    role = rows["role"].to_numpy()
    columns: dict[str, Any] = {}
    for name in (*ROLES, "harness"):
        own = rows[role == name]
        seen = own["processes"].any()  # a broker elsewhere has no process here
        columns[f"{name}_cpu_cores"] = own["cpu_cores"].mean() if seen else np.nan
        columns[f"{name}_rss_mib"] = own["rss_bytes"].max() / 2**20 if seen else np.nan
    stored = rows["rss_bytes"].to_numpy()[role == "stored"]
    columns["broker_used_mib"] = stored.max() / 2**20 if len(stored) else np.nan
    web = rows[role == "web"]
    lag = web["loop_lag_ns"].to_numpy()
    columns["loop_lag_max_ms"] = percentile(lag[lag != NEVER] / 1e6, 100)
    columns["pool_in_use_max"] = web["pool_in_use"].max() if len(web) else np.nan
    return columns


def noise_columns(trial: Trial) -> dict[str, Any]:
    """Return what others took, NaN where nobody looked, and which campaigns measured beside the trial."""
    noise = trial.noise or Noise(foreign_cores=trial.foreign_cores)
    names = ("foreign_cores", "steal_cores", "hiccup_p99_ms")
    taken = {name: np.nan if (value := getattr(noise, name)) is None else value for name in names}
    return taken | {"company": "; ".join(noise.company)}
