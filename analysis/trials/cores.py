"""How many cores the tasks of a trial could use."""

from results.schema import Manifest


def usable_cores(manifest: Manifest, topology: str, role: str) -> int:
    """Return how many cores may run tasks: those the role is pinned to, else all of the machine's."""
    if cores := manifest.cores(topology, role):
        return len(cores)
    count = manifest.part("host").get("cpu_count")
    return count if isinstance(count, int) and count > 0 else 1
