"""Whether a point was met with a core near full: such a point moves with the machine."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from analysis.trials.brackets import Bracket
from analysis.trials.cores import usable_cores
from results.roles import ROLES
from results.schema import Manifest

FULL: Final = 0.9
"""share of its cores that a role uses where they are near full"""
BOUND: Final = ("web", "worker")
"""roles whose work a request or a task waits for"""


def core_bound(rows: Sequence[Mapping[Any, Any]], found: Bracket, manifest: Manifest) -> str:
    """Return which role's core was near full in a trial at an edge, `web` or `worker`; empty for neither.

    Roles that share their cores fill them together: then the one that took most of them is named. The failed
    edge goes before the held one.
    """
    for edge in (found.failed, found.held):
        at = [row for row in rows if edge is not None and row["offered_per_s"] == edge]
        for row in at:
            if full := _full(row, manifest):
                return full
    return ""


def _full(row: Mapping[Any, Any], manifest: Manifest) -> str:
    used = {role: float(np.nan_to_num(row[f"{role}_cpu_cores"])) for role in ROLES}
    bound = [role for role in BOUND if _near_full(role, used, row, manifest)]
    return max(bound, key=lambda role: used[role], default="")


def _near_full(role: str, used: Mapping[str, float], row: Mapping[Any, Any], manifest: Manifest) -> bool:
    """Say whether a role that does something has its cores near full, by itself or with what shares them.

    A web process whose tasks do not compute in native code or in processes of their own holds the GIL: it
    cannot use more than one core, however many it is given, nor several of them more than one each.
    """
    topology = str(row["topology"])
    cores = usable_cores(manifest, topology, role)
    together = sum(used[other] for other in ROLES if _beside(role, other, manifest, topology))
    alone = cores
    if role == "web" and _one_at_a_time(row, manifest):
        alone = min(manifest.web_processes, cores)
    return used[role] > 0 and (together >= FULL * cores or used[role] >= FULL * alone)


def _one_at_a_time(row: Mapping[Any, Any], manifest: Manifest) -> bool:
    subject = manifest.subject(f"{row['strategy']}/{row['variant']}")
    service = subject.services.get(str(row["kind"]))
    apart = subject.workers > 0
    return apart or (row["kind"] != "cpu_native" and (service is None or service.processes == service.pools))


def _beside(role: str, other: str, manifest: Manifest, topology: str) -> bool:
    """Say whether all that another role uses is taken from the cores of this one."""
    own, theirs = (set(manifest.cores(topology, name)) for name in (role, other))
    return not own or bool(theirs and theirs <= own)
