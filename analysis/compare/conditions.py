"""What differs between the conditions of two campaigns, by name: what is flagged, and what is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from results.schema import Manifest, Subject


@dataclass(frozen=True)
class Unlike:
    """One condition in which two campaigns differ."""

    name: str
    first: str
    second: str

    def __str__(self) -> str:
        return f"{self.name}: {self.first} and {self.second}"


def refused(first: Manifest, second: Manifest) -> list[Unlike]:
    """Return what makes their figures answers to different questions."""
    told = (_asked(first), _asked(second))
    return list(_unlike(*told))


def flagged(first: Manifest, second: Manifest) -> list[Unlike]:
    """Return what else differs: the cause of a difference may be any of it."""
    return list(_unlike(_met(first), _met(second)))


def flagged_of(first: Subject, second: Subject) -> list[Unlike]:
    """Return in what two subjects differ that are compared with each other: libraries and settings."""
    name = second.key if first.key == second.key else f"{first.key} and {second.key}"
    found = _unlike(_declared(first), _declared(second))
    return [Unlike(f"{name}: {each.name}", each.first, each.second) for each in found]


def _declared(subject: Subject) -> dict[str, Any]:
    slots = {f"slots for {kind}": service.slots for kind, service in subject.services.items()}
    versions = {f"package {name}": version for name, version in subject.versions.items()}
    return {**versions, **slots, **subject.settings}


def _asked(manifest: Manifest) -> dict[str, Any]:
    """Return what was offered and by what it was judged."""
    return {
        "limit of latency": f"{manifest.limit_ms:g} ms",
        "traffic": manifest.traffic.words or "the usual",
        "trials beside each other": manifest.jobs,
    }


def _met(manifest: Manifest) -> dict[str, Any]:
    """Return the machine, the server and the versions."""
    host, broker = manifest.part("host"), manifest.part("broker")
    return {
        "CPU": host.get("cpu_model"),
        "cores": host.get("cpu_count"),
        "kernel": host.get("kernel"),
        "governor": host.get("governor"),
        "agent's host": manifest.part("agent").get("host", "none"),
        "generators": f"{manifest.generators} here, {manifest.generators_elsewhere} elsewhere",
        **{name.replace("_", " "): value for name, value in manifest.served.items()},
        **{f"broker {name}": value for name, value in broker.items()},
        "pinning": manifest.pinning,
        **{f"package {name}": version for name, version in manifest.part("packages").items()},
        "seed": manifest.seed,
        "code": manifest.part("git").get("commit"),
    }


def _unlike(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Unlike]:
    for name in dict.fromkeys([*first, *second]):
        one, other = first.get(name), second.get(name)
        if one != other:
            yield Unlike(name, _said(one), _said(other))


def _said(value: Any) -> str:
    return "unknown" if value in (None, "") else str(value)
