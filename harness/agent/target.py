"""A target that an agent has started, as far as it can be asked from here."""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from harness.agent import messages as m
from harness.agent.connection import WORK_S, Connection, renewing
from harness.agent.machine import machine, there
from harness.target.cores import Pinning
from harness.target.declarations import declared
from harness.target.processes import Child
from harness.target.target import Launch, Target
from results.errors import BlockpointError
from results.findings import Noise
from results.schema import Subject
from targets.settings import STARTERS, Settings, variable


class AgentTarget(Target):
    """Its processes are on the agent's host: the agent sees to them."""

    def __init__(
        self, connection: Connection, on: str, started: m.Started, launch: Launch, *, shared: bool
    ) -> None:
        settings = Settings(nonce=started.nonce)
        url = f"http://{connection.host}:{started.port}"
        super().__init__(started.subject, url, settings, None, launch.family)
        self.connection = connection
        self.on = on
        self.shared = shared
        """it is on our machine after all, where each sees the other's processes"""
        self.name = started.target

    def children(self) -> list[Child]:
        """Return none of ours."""
        return []

    def check(self) -> None:
        """Raise BlockpointError where a process of it has exited, or the agent does not answer."""
        self.connection.ask("check", m.Of(target=self.name), m.Nothing)

    def preflight(self, kind: str) -> dict[str, Any]:
        """See that it can be reached from here, and have a task run there."""
        try:
            identity = self.identity()
        except OSError as error:
            raise BlockpointError(
                f"{self.subject.key} does not answer here at {self.url}, where the agent says that it "
                f"listens: {error}"
            ) from None
        self.connection.ask("preflight", m.Preflight(target=self.name, kind=kind), m.Nothing, WORK_S)
        return identity

    def quiet(self, foreign_cores: float, longest_s: float) -> Noise:
        """Have the agent wait until its host is quiet."""
        asked = m.Quiet(target=self.name, foreign_cores=foreign_cores, longest_s=longest_s)
        return self.connection.ask("quiet", asked, Noise, WORK_S)


@contextlib.contextmanager
def started_by(
    connection: Connection, about: m.About, launch: Launch, strategy: str, variant: str
) -> Iterator[AgentTarget]:
    """Have an agent start a target; it is ended when the block is left, or when we are not heard of.

    Raises BlockpointError as `running_target` does.
    """
    order = _order(launch, strategy, variant, there(launch.pinning, about.machine))
    started = connection.ask("start", order, m.Started, WORK_S)
    of_it, shared = m.Of(target=started.target), about.machine == machine()
    with renewing(connection, of_it):
        try:
            _refuse_other(started.subject, declared(strategy, variant, launch.settings).subject, about.host)
            yield AgentTarget(connection, about.host, started, launch, shared=shared)
        finally:
            with contextlib.suppress(BlockpointError):
                connection.ask("end", of_it, m.Nothing, WORK_S)


def _order(launch: Launch, strategy: str, variant: str, pinning: Pinning) -> m.Start:
    asked = {
        "asker": _asker(),
        "strategy": strategy,
        "variant": variant,
        "settings": _asked(launch.settings),
        "loop": launch.loop,
        "http": launch.http,
        "needs": sorted(launch.needs),
        "pinning": pinning.describe(),
    }
    return msgspec.convert(asked, m.Start)


def _asked(settings: Settings) -> dict[str, str]:
    """Return what may be chosen from elsewhere, as variables."""
    own = set(map(variable, STARTERS))
    return {name: value for name, value in settings.to_environment().items() if name not in own}


def _asker() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]])
    return f"{command} (process {os.getpid()} on {platform.node()})"


def _refuse_other(theirs: Subject, ours: Subject | None, host: str) -> None:
    """Raise BlockpointError where a strategy's libraries are others there: the manifest tells ours."""
    own = ours.versions if ours else {}
    for name in sorted({*theirs.versions, *own}):
        if theirs.versions.get(name) != own.get(name):
            raise BlockpointError(
                f"{theirs.strategy} runs with {name} {theirs.versions.get(name)} on {host}, and with "
                f"{own.get(name)} here: install the same on both"
            )
