"""Where the targets of a campaign run: on this host, unless an agent starts them on another."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from harness.campaign.environment import environment
from harness.target import brokers
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.target import Launch, Target, running_target
from harness.trial.measurement import Limits, Measuring
from targets.cache import round_trips_per_ms
from targets.work import calibrate

AGENT: Final = "agent"
"""under which a manifest names the host of targets that an agent started"""
CACHE_KIND: Final = "cache"
"""calibrated on the broker's server, the others on a core"""


@dataclass(frozen=True)
class Wanted:
    """What a campaign has to know of the host of its targets."""

    kinds: Sequence[str]
    """of tasks that are to be calibrated"""
    servers: Mapping[str, str]
    """that are to be described, each by the name of its entry in the manifest"""


@dataclass(frozen=True)
class Found:
    """What it writes down."""

    described: dict[str, dict[str, str]]
    calibration: dict[str, float]


class Host(Protocol):
    """A host that targets run on."""

    elsewhere: ClassVar[bool]
    """whether it is another than ours, or to be treated as one"""

    @property
    def option(self) -> str:
        """What a command is told for it, after a space; empty for ours."""

    def environment(self) -> dict[str, Any]:
        """Return everything about its hardware and software that a reader of the results may need."""

    def look(self, wanted: Wanted, members: Family, pinning: Pinning, redis_url: str) -> Found:
        """Calibrate, and start each server once; raises BlockpointError where one does not start."""

    def start(
        self, launch: Launch, strategy: str, variant: str, logs: Path
    ) -> contextlib.AbstractContextManager[Target]:
        """Start a target there."""

    def measuring(self, limits: Limits) -> Measuring:
        """Return the procedure by which its targets are measured."""


class ThisHost:
    """Ours."""

    elsewhere: ClassVar[bool] = False
    option: str = ""

    def environment(self) -> dict[str, Any]:
        """Return what is here."""
        return environment()

    def look(self, wanted: Wanted, members: Family, pinning: Pinning, redis_url: str) -> Found:
        """Calibrate a core, and look at the servers, one after the other."""
        calibration = {kind: calibrate(kind) for kind in wanted.kinds if kind != CACHE_KIND}
        described = {}
        for entry, server in wanted.servers.items():
            folder = members.folder / "first-look" / server
            with brokers.started(server, members, folder, pinning, redis_url=redis_url) as first_look:
                described[entry] = first_look.describe()
                if CACHE_KIND in wanted.kinds and server == brokers.REDIS:
                    calibration[CACHE_KIND] = round_trips_per_ms(first_look.url)
        return Found(described, calibration)

    def start(
        self, launch: Launch, strategy: str, variant: str, logs: Path
    ) -> contextlib.AbstractContextManager[Target]:
        """Start a target here."""
        return running_target(launch, strategy, variant, logs)

    def measuring(self, limits: Limits) -> Measuring:
        """Return a plain measurement."""
        return Measuring(limits)


HERE: Final = ThisHost()
