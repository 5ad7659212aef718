"""What others took from a trial, and whether it may count all the same."""

import math
import os
from collections.abc import Sequence

import msgspec

from harness.trial.resources import mean_cores
from harness.trial.sampler import OTHER, STEAL
from results.schema import Noise
from results.tables import Columns

NOTABLE_STEAL_CORES = 0.005


def during(before: Noise, resources: Columns, from_ns: int, to_ns: int) -> Noise:
    """Return the noise with what was taken in the measured part of the load."""
    foreign, stolen = (mean_cores(resources, role, from_ns, to_ns) for role in (OTHER, STEAL))
    return msgspec.structs.replace(
        before,
        foreign_cores=None if math.isnan(foreign) else max(foreign, 0.0),
        steal_cores=None if math.isnan(stolen) else stolen,
    )


def reasons_against(noise: Noise, max_foreign_cores: float) -> list[str]:
    """Return why the trial does not count; empty when others left it alone."""
    if noise.foreign_cores is None:
        return ["noise: nobody saw what other programs used: too short a trial, or no core free to look"]
    if noise.foreign_cores < max_foreign_cores:
        return []
    return [f"noise: other programs used {noise.foreign_cores:.2f} cores, limit {max_foreign_cores:g}"]


def reasons_for_company(company: Sequence[str], max_foreign_cores: float) -> list[str]:
    """Return why a trial does not count beside which others measured.

    None where others may use the whole machine: whoever allows that asks no latency of it.
    """
    if max_foreign_cores >= (os.cpu_count() or 1):
        return []
    return [f"noise: {other} measured on this machine meanwhile" for other in company]


def excuses(noise: Noise) -> list[str]:
    """Return what may have made the generator late through no fault of its own."""
    found = []
    if (stolen := noise.steal_cores or 0.0) > NOTABLE_STEAL_CORES:
        found.append(f"steal: meanwhile the hypervisor gave {stolen:.2f} cores to other machines")
    if noise.quiet is False:
        worst_ms = noise.hiccup_max_ms or 0.0
        found.append(
            f"restless: after {noise.waited_s:.1f} s still not quiet, hiccups up to {worst_ms:.1f} ms"
        )
    return found
