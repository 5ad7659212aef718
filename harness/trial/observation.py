"""What is seen of a target, on its own host, from before a load until its backlog is gone or given up."""

import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from harness.target import brokers
from harness.target.ledgers import read_probes
from harness.target.processes import Child
from harness.target.roster import Roster, alive_pids, halted
from harness.target.target import Launch, Target
from harness.target.versions import Pinned
from harness.trial.accounts import Held, Places
from harness.trial.resources import halted_roles, resource_columns
from results.findings import TargetHost
from results.tables import Columns
from results.terms import Look, Moment
from targets.registry import find
from targets.settings import Settings

UNSAMPLED = "samples: the sampler ended before the load, so that noise may have gone unseen"
HALTED = "halted"
TAKING_S = 1.0
"""longer than a worker that is busy with short tasks needs to put down what it has taken from the broker"""
LOGS = "logs"
SAMPLES = "resources.jsonl"
"""what the sampler writes, which becomes a table"""
Beside = Sequence[tuple[str, int]]
"""role and id of each process that is no part of the target and yet none of a stranger's"""


class Counts(NamedTuple):
    """How far the work has come."""

    begun: int
    ended: int


@dataclass(frozen=True)
class Seen:
    """What was seen of a target, once its backlog is gone or given up."""

    events: np.ndarray
    """of `LEDGER_RECORD`"""
    resources: Columns
    held: Held
    """what the broker still held; empty where the backlog was gone"""
    survivors: frozenset[int]
    """the target's processes that lived"""
    web: frozenset[int]
    """those that answered"""
    spoilt: Sequence[str]
    """why the trial does not count, by what became of the processes"""
    host: TargetHost | None = None
    """that it was on, where that is not ours"""
    here: Columns | None = None
    """what was sampled meanwhile on the host that generated, where that is another"""


class Observer(Protocol):
    """Follows a target from when it is made, at which no task is under way."""

    def sampling(self, beside: Beside) -> contextlib.AbstractContextManager[None]:
        """Sample what the target's processes and those `beside` it use, until the block is left."""

    def look(self) -> str:
        """Return why nothing more of the target will be seen; empty as long as something is.

        Raises BlockpointError where one of its processes has exited.
        """

    def counts(self) -> Counts:
        """Return how far the work has come."""

    def drained(self) -> bool:
        """Say whether the backlog is gone."""

    def seen(self, *, drained: bool) -> Seen:
        """Return all that was seen; ends web and workers first where the backlog is given up.

        Raises BlockpointError where a process has exited.
        """


class Observation:
    """Follows a target on this host."""

    def __init__(self, launch: Launch, target: Target, folder: Path) -> None:
        self._launch = launch
        self._target = target
        self._folder = folder
        self._samples = folder / SAMPLES
        self._reader = target.reader()
        self._roster = Roster(target)
        self._web = frozenset(target.web_pids())
        self._since_ns = time.monotonic_ns()
        self._sampled = False

    @contextlib.contextmanager
    def sampling(self, beside: Beside) -> Iterator[None]:
        """Sample what the target's processes and those `beside` it use, until the block is left."""
        target = self._target
        roles = [*((child.role, child.pid) for child in target.children()), *beside]
        asked, settings = _broker_of(target)
        with sampled(self._launch, roles, self._folder, asked, **settings) as sampler:
            yield
            self._sampled = sampler.running and not halted([sampler.pid])

    def look(self) -> str:
        """Note who stands still."""
        self._target.check()
        self._roster.look()
        return ""

    def counts(self) -> Counts:
        """Return how far the work has come."""
        reader = self._reader
        reader.outstanding()
        return Counts(max(reader.accepted, reader.started), reader.ended)

    def drained(self) -> bool:
        """Say whether the backlog is gone."""
        return self._reader.outstanding() <= 0 and not self._reader.left()

    def seen(self, *, drained: bool) -> Seen:
        """Return all that was seen."""
        self._target.check()
        still = sorted(self._roster.halted() | halted_roles(self._samples))
        deaths = self._roster.deaths()
        survivors = alive_pids(self._target)
        held = {} if drained else self._last_look()
        resources = resource_columns(self._samples, read_probes(self._target.ledger, self._since_ns))
        self._samples.unlink(missing_ok=True)
        spoilt = [
            *(() if self._sampled else (UNSAMPLED,)),
            *deaths,
            *(f"{HALTED}: the {role} stood still (SIGSTOP) while it was measured" for role in still),
        ]
        return Seen(self._reader.events(), resources, held, survivors, self._web, spoilt)

    def _last_look(self) -> Held:
        """End web and workers, so that nothing moves any more, and ask the broker what it holds.

        What a worker is just taking stands nowhere, and would be lost by our own kill: the broker is asked
        once before, too, longer ago than that takes.
        """
        broker, queues = self._target.broker, self._target.subject.queues
        if broker is None:
            self._target.kill()
            return {}
        before = broker.holdings(queues)
        time.sleep(TAKING_S)
        self._target.kill()
        return {Look.AT_HORIZON: with_taken(broker.holdings(queues), before, self._reader.events())}


def with_taken(held: Places, before: Places, events: np.ndarray) -> dict[str, set[int]]:
    """Return what a broker holds, with what it held `before` and no worker has begun (`LEDGER_RECORD`)."""
    begun = set(events["task_id"][events["moment"] == Moment.STARTED].tolist())
    seen = begun.union(*held.values())
    return {place: ids | (before.get(place, set()) - seen) for place, ids in held.items()}


@contextlib.contextmanager
def sampled(
    launch: Launch, roles: Beside, folder: Path, asked: Sequence[str] = (), **settings: str
) -> Iterator[Child]:
    """Run the sampler of these processes until the block is left, and give it; it writes into a folder.

    `asked`: of a broker, which `settings` name.
    """
    words = [*(f"--role={role}={pid}" for role, pid in roles), *asked]
    command = [sys.executable, "-m", "harness.trial.sampler", str(folder / SAMPLES), *words]
    log = folder / LOGS / "sampler.log"
    sampler = launch.family.spawn("sampler", command, log, settings, launch.pinning)
    try:
        yield sampler
    finally:
        launch.family.stop(sampler, 1.0)


def _broker_of(target: Target) -> tuple[list[str], dict[str, str]]:
    """Return what the sampler is told of a target's broker: which server and queues, and where.

    That of a strategy without one is the Redis that its tasks need.
    """
    if not target.broker:
        return [], {}
    server = find(Pinned.parse(target.subject.strategy).strategy).broker or brokers.REDIS
    settings = brokers.pointed(Settings(), server, target.broker.url)
    asked = [f"--broker={server}", *(f"--queue={queue}" for queue in target.subject.queues)]
    return asked, settings.to_environment()
