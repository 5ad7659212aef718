"""Another host, by its agent, as a campaign sees it."""

import contextlib
from pathlib import Path
from typing import Any, ClassVar

from harness.agent import messages as m
from harness.agent.connection import WORK_S, Connection
from harness.agent.machine import machine, there
from harness.agent.measurement import AgentMeasuring
from harness.agent.target import started_by
from harness.agent.token import known_token
from harness.campaign.environment import environment
from harness.campaign.host import AGENT, Found, Wanted
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.target import Launch, Target
from harness.trial.measurement import Limits


class OtherHost:
    """Where an agent starts the targets."""

    elsewhere: ClassVar[bool] = True

    def __init__(self, url: str) -> None:
        self._connection = Connection(url, known_token())
        self._about = self._connection.ask("about", m.Nothing(), m.About)

    @property
    def option(self) -> str:
        """What a command is told for it, after a space."""
        return f" --agent {self._connection.url}"

    @property
    def cores(self) -> tuple[int, ...] | None:
        """Its cores, where they are others than ours; empty where nothing can be pinned there."""
        return None if self._about.machine == machine() else tuple(self._about.cores)

    def environment(self) -> dict[str, Any]:
        """Return what is there, with the names of both hosts, and what is here."""
        named = {"host": self._about.host, "address": self._connection.url}
        led = environment()
        return {**self._about.environment, AGENT: named, "led from": {**led["host"], **led["git"]}}

    def look(self, wanted: Wanted, members: Family, pinning: Pinning, redis_url: str) -> Found:  # noqa: ARG002
        """Have the agent calibrate and look at its servers."""
        asked = m.Look(wanted=wanted, pinning=there(pinning, self._about.machine).describe())
        found = self._connection.ask("look", asked, m.Found, WORK_S)
        return Found(found.described, found.calibration)

    def start(
        self,
        launch: Launch,
        strategy: str,
        variant: str,
        logs: Path,  # noqa: ARG002
    ) -> contextlib.AbstractContextManager[Target]:
        """Have the agent start a target, whose logs stay there."""
        return started_by(self._connection, self._about, launch, strategy, variant)

    def measuring(self, limits: Limits) -> AgentMeasuring:
        """Return the procedure by which its targets are measured."""
        return AgentMeasuring(limits)
