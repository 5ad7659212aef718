"""How many cores the tasks of a trial could use."""

from results.schema import Manifest


def usable_cores(manifest: Manifest, topology: str, role: str) -> int:
    """Return how many cores may run tasks: those the role is pinned to, else all of the machine's."""
    pinned = manifest.pinning.get(topology)
    cores = pinned.get(role) if isinstance(pinned, dict) else None
    host = manifest.environment.get("host")
    count = host.get("cpu_count") if isinstance(host, dict) else None
    if isinstance(cores, list | tuple) and cores:
        return len(cores)
    return count if isinstance(count, int) and count > 0 else 1
