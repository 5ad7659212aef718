"""What bursts would leave of the blocking point of a subject that was measured under steady traffic."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.queueing.bursts import burst_share
from analysis.trials.cores import usable_cores
from results.schema import Manifest


def share_under_bursts(key: Mapping[str, Any], manifest: Manifest) -> float:
    """Return what they would leave; NaN where bursts were measured, and where theory is silent."""
    subject, kind = manifest.subject(f"{key['strategy']}/{key['variant']}"), str(key["kind"])
    service, traffic = subject.services.get(kind), manifest.traffic
    if service is None or not traffic.even:
        return np.nan
    apart = bool(subject.workers)
    share = burst_share(
        service,
        kind,
        float(key["duration_ms"]),
        usable_cores(manifest, str(key["topology"]), "worker" if apart else "web"),
        apart=apart,
        limit_ms=manifest.limit_ms,
        lasting=traffic.lasting,
    )
    return np.nan if share is None else share
