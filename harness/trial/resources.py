"""From the sampler's lines and the web process's probes to the table `resources`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from results.columns import RESOURCES
from results.tables import Columns
from results.terms import NEVER


def resource_columns(samples: Path, probes: np.ndarray) -> Columns:
    """Return the columns of `resources`; `probes` are `PROBE_RECORD`s of the same stretch of time.

    Loop lag and pool use stand in the web's rows: the worst of the probes since the sample before, of the
    fullest pool and the latest loop where there are several web processes.
    """
    rows: list[tuple[object, ...]] = []
    last_ns = 0
    for sample in _samples(samples):
        at_ns = int(sample["at_ns"])
        seen = probes[(probes["at_ns"] > last_ns) & (probes["at_ns"] <= at_ns)]
        lag_ns = int(seen["loop_lag_ns"].max()) if len(seen) else NEVER
        in_use = int(seen["pool_in_use"].max()) if len(seen) else NEVER
        for role, (processes, cores, rss, depth) in sample["roles"].items():
            web = role == "web"
            own = (lag_ns, in_use) if web else (NEVER, NEVER)
            rows.append((at_ns, role, processes, cores, rss, depth, *own))
        last_ns = at_ns
    columns = zip(*rows, strict=True) if rows else [()] * len(RESOURCES)
    return {
        name: np.array(values, dtype=object if kind == "string" else kind)
        for (name, kind), values in zip(RESOURCES.items(), columns, strict=True)
    }


def halted_roles(samples: Path) -> set[str]:
    """Return the roles of which the sampler saw a process stand still, itself among them."""
    return {role for sample in _samples(samples) for role in sample["halted"]}


def mean_cores(columns: Columns, role: str, from_ns: int, to_ns: int) -> float:
    """Return the mean number of cores that a role used in a stretch of time; NaN where none was seen."""
    at_ns = columns["at_ns"]
    chosen = (columns["role"] == role) & (at_ns > from_ns) & (at_ns <= to_ns)
    return float(columns["cpu_cores"][chosen].mean()) if chosen.any() else float("nan")


def _samples(path: Path) -> Iterator[dict[str, Any]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return (sample for line in lines if (sample := _parse(line)) is not None)


def _parse(line: str) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None  # the sampler was stopped in the middle of its last line
    return parsed if isinstance(parsed, dict) else None
