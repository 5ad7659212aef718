"""What a command was asked for: under which conditions to measure, and which strategies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.campaign.host import HERE, Host
from harness.campaign.own_task import Own
from harness.target.fleet import ALONE, Fleet
from harness.target.own import TaskWish
from harness.target.placement import Placement
from results.trace import trace_gaps
from results.traffic import BURST_MEAN_S, Traffic
from targets.settings import ANYIO_TOKENS, Settings


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Under which conditions a command was asked to measure."""

    seed: int
    slots: int
    anyio_tokens: int = ANYIO_TOKENS
    web_processes: int = 1
    """uvicorn's `--workers`"""
    middleware: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    """settings of the target that were asked for by name, each with how it was"""
    loop: str
    http: str
    redis_url: str
    placement: Placement
    fleet: Fleet = ALONE
    host: Host = HERE
    """that the targets run on"""
    max_foreign_cores: float
    quiet_wait: float
    """longest wait for a quiet machine before each trial, s"""
    name: str
    resume: str
    """an existing campaign's name or folder; empty for a new one"""
    dry_run: bool = False
    report: bool = True
    as_json: bool = False
    """standard output gets one JSON document, and standard error all else"""
    task: TaskWish | None = None
    """the user's own, as it was asked for"""
    own: Own | None = None
    """the same, timed"""

    @property
    def settings(self) -> Settings:
        """Return what strategies may know beforehand."""
        base = Settings(
            slots=self.slots,
            anyio_tokens=self.anyio_tokens,
            web_processes=self.web_processes,
            middleware=self.middleware,
        )
        return self.own.on(base) if self.own else base


@dataclass(frozen=True, kw_only=True)
class Selection(Conditions):
    """What a command was asked to measure; empty or None where the profile decides."""

    profile: str
    strategies: tuple[str, ...]
    variants: tuple[str, ...]
    kinds: tuple[str, ...]
    durations_ms: tuple[float, ...]
    seconds: float | None
    attempts: int | None
    topologies: tuple[str, ...]
    versions: tuple[str, ...] = ()
    """of packages, for every strategy: `fastapi=0.121.0`"""
    python: str = ""
    """a version of the interpreter, for every strategy"""
    arrivals: str = "poisson"
    burst_mean_s: float = BURST_MEAN_S
    trace: str = ""
    cv: float = 0.0
    mix: float = 0.0

    @property
    def pins(self) -> list[str]:
        """Return what the environment of every strategy is to differ in."""
        return [*self.versions, *([f"python={self.python}"] if self.python else [])]

    @property
    def traffic(self) -> Traffic:
        """Return the traffic to be offered; raises BlockpointError where its parts do not fit together."""
        trace = str(Path(self.trace).resolve()) if self.trace else ""
        asked = Traffic(self.arrivals, self.cv, self.burst_mean_s, trace, self.mix).check()
        if trace:
            trace_gaps(trace)
        return asked
