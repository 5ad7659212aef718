"""The conditions under which a chart's numbers hold, in words for its caption."""

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from analysis.format import number
from results.roles import ROLES
from results.schema import Manifest

_SHOWN = ("fastapi", "starlette", "uvicorn", "celery", "arq", "redis")
USUAL_TOKENS: Final = 40
"""AnyIO's own default"""
_ABSENT = "not installed"
_OF_QUEUES = ("celery", "arq", "redis")


def machine(manifest: Manifest) -> str:
    """Return cores, processor, event loop and versions, as far as the manifest knows them."""
    environment = manifest.environment
    host = _mapping(environment.get("host"))
    packages = _mapping(environment.get("packages"))
    cores = host.get("cpu_count")
    parts = [f"{cores} cores" if cores else "", str(host.get("cpu_model") or "")]
    parts.append(f"{manifest.loop} + {manifest.http}")
    parts += served(manifest)
    python = _version(environment.get("python"))
    versions = [f"Python {python}"] if python else []
    versions += [f"{name} {ran}" for name in _SHOWN if (ran := _ran(manifest, packages, name))]
    parts.append(", ".join(versions))
    return " · ".join(part for part in parts if part)


def _ran(manifest: Manifest, packages: Mapping[str, Any], name: str) -> str:
    """Return a package's versions that ran: of the subjects' own environments, else the harness's."""
    own = [subject.versions for subject in manifest.subjects if subject.versions]
    found = {versions[name] for versions in own if name in versions}
    if not found and not (own and name in _OF_QUEUES):
        found = {str(packages.get(name, _ABSENT))} - {_ABSENT}
    return " and ".join(sorted(found))


def served(manifest: Manifest) -> list[str]:
    """Return, in words, which conditions of the serving process are not the usual ones."""
    told = [
        (f"{manifest.web_processes} uvicorn workers", manifest.web_processes > 1),
        ("BaseHTTPMiddleware", manifest.middleware),
        (f"{number(manifest.anyio_tokens)} AnyIO tokens", manifest.anyio_tokens != USUAL_TOKENS),
        ("no GIL", not manifest.conditions["gil"]),
    ]
    return [words for words, unusual in told if unusual]


def conditions(
    manifest: Manifest, rows: pd.DataFrame, *notes: str, invalid_are: str = "crosses, in no line"
) -> str:
    """Return a caption: slots, topology, machine, seed, number of trials and of the invalid ones."""
    trials = rows.drop_duplicates(["trial_id", "attempt"])
    invalid = int((~trials["valid"].astype(bool)).sum())
    slots = sorted({int(value) for value in rows["slots"]})
    counted = "/".join(number(value) if value else "unlimited" for value in slots)
    parts = [
        f"Slots: {counted}",
        "topology " + ", ".join(sorted(set(rows["topology"]))),
        *filter(None, [manifest.traffic.words]),
        machine(manifest),
        f"seed {manifest.seed}",
        f"{len(trials)} trial{'s' * (len(trials) != 1)}, {invalid or 'none'} invalid"
        + (f" ({invalid_are})" if invalid else ""),
    ]
    return ". ".join([" · ".join(parts), *(note.rstrip(".") for note in notes if note)]) + "."


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _version(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("version", ""))
    return str(value or "").split(" ")[0]


def placement(manifest: Manifest, topology: str) -> str:
    """Return which roles had which cores: `web, worker, broker on core 0; generator on core 1`."""
    by_cores: dict[tuple[int, ...], list[str]] = {}
    for role in ROLES:
        if cores := _cores(manifest, topology, role):
            by_cores.setdefault(cores, []).append(role)
    told = [f"{', '.join(roles)} on {_named(cores)}" for cores, roles in by_cores.items()]
    return "; ".join(told)


def cores_of(manifest: Manifest, topology: str) -> str:
    """Return on how many cores the service ran, the load generator's left out: `one core`; or nothing."""
    used = {core for role in ROLES if role != "generator" for core in _cores(manifest, topology, role)}
    return "" if not used else "one core" if len(used) == 1 else f"{len(used)} cores"


def _cores(manifest: Manifest, topology: str, role: str) -> tuple[int, ...]:
    """Return the cores that a role was pinned to; none where it was free, or the manifest does not tell."""
    found = _mapping(manifest.pinning.get(topology)).get(role)
    return tuple(core for core in found if isinstance(core, int)) if isinstance(found, list | tuple) else ()


def _named(cores: tuple[int, ...]) -> str:
    return f"core{'s' * (len(cores) > 1)} {', '.join(map(str, cores))}"
