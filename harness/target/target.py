"""A running target: broker, web process and workers of one strategy in one variant."""

import contextlib
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.target import brokers, direct
from harness.target.broker import Broker, free_port
from harness.target.cores import Pinning
from harness.target.declarations import declared
from harness.target.environments import environment_of
from harness.target.fleet import ALONE, Fleet
from harness.target.ledgers import LedgerReader, looking_pids
from harness.target.lineage import tree
from harness.target.own import beside
from harness.target.processes import Child, Family, died
from harness.target.sink import SERVERS, Sink, running_sink
from harness.target.versions import Pinned
from results.errors import BlockpointError
from results.schema import Subject
from results.terms import KINDS, Moment
from results.waiting import wait_until
from targets.registry import find, from_elsewhere
from targets.settings import Settings

START_LIMIT_S = 60.0
PREFLIGHT_LIMIT_S = 60.0
OWN_FIRST_TASKS = 5
"""of a task of the user's own, which may raise now and then, before it is said to fail always"""
IDENTITY_LIMIT_S = 5.0
ACCEPT_LIMIT_S = 15.0
CACHE = "cache_url"
"""the setting that names the broker's server to the tasks"""
LAST_WORDS_S = 1.0
"""time that a process gets to say what went wrong with a task"""
RECORDING = (
    "what a strategy runs has to stand in a `with recorded(task):` of targets.work, by which its start and "
    "end become known; see docs/own-strategy.md"
)


@dataclass(frozen=True)
class Launch:
    """All that stays the same for the sessions of one command and topology."""

    family: Family
    pinning: Pinning
    settings: Settings
    loop: str = "auto"
    http: str = "auto"
    host: str = "127.0.0.1"
    port: int = 0
    """0 picks a free one"""
    redis_url: str = ""
    """a running server instead of the embedded one"""
    grace_s: float = 0.0
    """time that processes get to end by themselves; a drained target has nothing to finish"""
    needs: frozenset[str] = frozenset()
    """settings that name servers which the tasks need, see `results.terms.KINDS`"""
    fleet: Fleet = ALONE
    """who loads it"""
    appendonly: bool = False
    """the embedded broker keeps an append-only file, so that it finds its tasks again after a restart"""
    task_packages: tuple[str, ...] = ()
    """what the user's own task needs, beside the strategy's own packages"""


class Target:
    """The processes of one target that is up, and what can be asked of it."""

    def __init__(
        self, subject: Subject, url: str, settings: Settings, broker: Broker | None, family: Family
    ) -> None:
        self.subject = subject
        self.url = url
        self.nonce = settings.nonce
        self.ledger = settings.ledger or Path()
        self.broker = broker
        """what we know the tasks' queues in"""
        self.server = broker
        """what stands between web and workers"""
        self.sink: Sink | None = None
        self.web: list[Child] = []
        self.workers: list[Child] = []
        self.web_processes = settings.web_processes
        self._family = family
        self._probes: set[int] = set()

    @property
    def host(self) -> str:
        """What the generator gets as `--host`."""
        return self.url

    def children(self) -> list[Child]:
        """Return the web's, workers', embedded broker's and sink's processes."""
        broker = [self.server.child] if self.server and self.server.child else []
        sink = [self.sink.child] if self.sink else []
        return [*self.web, *self.workers, *broker, *sink]

    def check(self) -> None:
        """Raise BlockpointError where one of its processes has exited."""
        self._refuse_dead(self.children())

    def _refuse_dead(self, children: Sequence[Child]) -> None:
        """Raise BlockpointError for the last that has exited: the others exit without their broker."""
        for child in reversed(children):
            if not child.running:
                raise died(f"the {child.role} process of {self.subject.key}", child)

    def reader(self) -> LedgerReader:
        """Return a reader of the moments from now on."""
        return LedgerReader(self.ledger, self.subject.max_attempts, self._probes)

    def preflight(self, kind: str) -> dict[str, Any]:
        """Check who answers and run one task end to end; returns the identity.

        Raises BlockpointError where another program answers or the task does not finish.
        """
        try:
            identity = self.identity()
        except OSError as error:
            raise BlockpointError(f"{self.subject.key} no longer answers at {self.url}: {error}") from None
        reader, moments = self.reader(), Counter[Moment]()
        for _ in range(OWN_FIRST_TASKS if KINDS[kind].own else 1):
            moments = self._first_task(kind, reader)
            if moments[Moment.FINISHED]:
                return identity
            if not moments[Moment.FAILED]:
                break
        raise self._unfinished(moments)

    def _first_task(self, kind: str, reader: LedgerReader) -> Counter[Moment]:
        """Submit a task and wait for its end; returns what was recorded of it."""
        task_id = self.submit(kind)

        def ended() -> bool:
            self.check()
            moments = reader.moments(task_id)
            return bool(moments[Moment.FINISHED]) or moments[Moment.FAILED] >= self.subject.max_attempts

        wait_until(ended, PREFLIGHT_LIMIT_S)
        return reader.moments(task_id)

    def _unfinished(self, moments: Mapping[Moment, int]) -> BlockpointError:
        """Return the error for a first task of which nothing but that was recorded."""
        if moments[Moment.FAILED]:
            time.sleep(LAST_WORDS_S)
            fault = "ended by an exception"
        else:
            seen = (
                "was seen to start and not to finish" if moments[Moment.STARTED] else "was not seen to start"
            )
            hint = f": {RECORDING}" if from_elsewhere(self.subject.strategy) else ""
            fault = f"was accepted and {seen} within {PREFLIGHT_LIMIT_S:.0f} s{hint}"
        logs = "\n".join(filter(None, (child.log_tail() for child in (*self.workers, *self.web))))
        return BlockpointError(
            f"{self.subject.key}: a first task {fault}; its processes said last:\n{logs or '    (nothing)'}"
        )

    def submit(self, kind: str) -> int:
        """Submit a task of 1 ms and return its id; raises BlockpointError where it is not accepted.

        It is none of a trial's: a broker may deliver it again much later, and no reader counts it.
        """
        task_id = secrets.token_hex(8)
        self._probes.add(int(task_id, 16))
        self._post({"task_id": task_id, "kind": kind, "duration_ms": 1})
        return int(task_id, 16)

    def kill(self) -> None:
        """SIGKILL web and workers, so that broker and ledger can be read at rest."""
        for child in (*self.web, *self.workers):
            child.kill()

    def start_web(self) -> None:
        """Start the web process again after it has ended, and wait until it answers.

        Raises BlockpointError where it does not.
        """
        self.web = [self._family.again(child) for child in self.web]
        self.await_answer()

    def start_workers(self) -> None:
        """Start those workers again that have ended."""
        self.workers = [child if child.running else self._family.again(child) for child in self.workers]

    def add_workers(self) -> None:
        """Start a second worker beside each."""
        self.workers += [
            self._family.spawn(w.role, w.command, w.log, w.environment, w.pinning) for w in self.workers
        ]

    def start_broker(self) -> None:
        """Start the embedded broker again after it has ended, and wait until it answers."""
        if self.server and self.server.child:
            self.server.child = self._family.again(self.server.child)
            self.server.await_answer()

    def await_answer(self) -> None:
        """Wait until the web process answers; raises BlockpointError where it does not."""
        if not wait_until(self._answers, START_LIMIT_S):
            raise BlockpointError(f"{self.subject.key} did not answer within {START_LIMIT_S:.0f} s")

    def _answers(self) -> bool:
        self._refuse_dead([child for child in self.children() if child not in self.workers])
        try:
            return bool(self.identity()) and self._all_up()
        except (OSError, ValueError):
            return False

    def _all_up(self) -> bool:
        """Say whether every web process has begun to serve: which of them answers next is chance."""
        return self.web_processes == 1 or len(self.web_pids()) >= self.web_processes

    def web_pids(self) -> set[int]:
        """Return the processes that answer requests: those of the web that look at their event loop.

        uvicorn's parent only restarts them.
        """
        living = {pid for child in self.web for pid in tree(child.pid)}
        return living & looking_pids(self.ledger)

    def identity(self) -> dict[str, Any]:
        """Ask `/health`; raises BlockpointError where another program answers, OSError where none does."""
        identity: dict[str, Any] = direct.get_json(f"{self.url}/health", IDENTITY_LIMIT_S)
        if identity.get("nonce") != self.nonce:
            raise BlockpointError(f"{self.url} is answered by another program than the one started there")
        return identity

    def _post(self, body: dict[str, Any]) -> None:
        written = self._written_by_web()
        try:
            direct.post_json(f"{self.url}/tasks", body, ACCEPT_LIMIT_S)
        except OSError as error:
            # uvicorn answers 500 before it says why
            wait_until(lambda: self._written_by_web() != written, LAST_WORDS_S)
            said = "\n".join(child.log_tail() for child in self.web) or "    (nothing)"
            raise BlockpointError(
                f"{self.subject.key}: a task was not accepted: {error}; its web process said last:\n{said}"
            ) from None

    def _written_by_web(self) -> int:
        return sum(child.log.stat().st_size for child in self.web)


@contextlib.contextmanager
def running_target(launch: Launch, strategy: str, variant: str, logs: Path) -> Iterator[Target]:
    """Start a target and wait until it answers; everything is gone when the block is left.

    Raises BlockpointError for an unknown strategy, a library that is too old, or a process that exits at
    its start (with its last lines).
    """
    named, python = Pinned.parse(strategy), environment_of(strategy).python
    settings = beside(launch.settings, strategy, launch.task_packages)
    folder = launch.family.folder / secrets.token_hex(4)
    (folder / "ledger").mkdir(parents=True)
    with contextlib.ExitStack() as cleanup:
        settings, broker = _with_broker(launch, find(named.strategy).broker, settings, folder, cleanup)
        settings, sink = _with_sink(launch, settings, logs, cleanup)
        settings = replace(settings, nonce=secrets.token_hex(8), ledger=folder / "ledger")
        port = launch.port or free_port()
        told = declared(strategy, variant, settings)
        assert told.subject is not None
        target = Target(told.subject, f"http://{launch.host}:{port}", settings, broker, launch.family)
        target.sink = sink
        cleanup.callback(_stop, launch, target)
        spawn = partial(launch.family.spawn, environment=settings.to_environment(), pinning=launch.pinning)
        for index, worker in enumerate(told.workers):
            target.workers.append(spawn("worker", [python, "-m", *worker], logs / f"worker-{index}.log"))
        app = f"targets.app:{named.strategy}/{variant}"
        target.web.append(
            spawn("web", [python, "-m", "uvicorn", app, *_serving(launch, port)], logs / "web.log")
        )
        target.await_answer()
        target.check()
        yield target


def _with_broker(
    launch: Launch, server: str, settings: Settings, folder: Path, cleanup: contextlib.ExitStack
) -> tuple[Settings, Broker | None]:
    """Start the strategy's broker and the tasks' cache, one server for both where it can be."""
    family, pinning = launch.family, launch.pinning
    broker: Broker | None = None
    start = partial(brokers.started, redis_url=launch.redis_url, appendonly=launch.appendonly)
    if server:
        broker = cleanup.enter_context(start(server, family, folder / "broker", pinning))
        settings = brokers.pointed(settings, server, broker.url)
    if CACHE in launch.needs:
        shared = broker if server == brokers.REDIS else None
        cache = shared or cleanup.enter_context(start(brokers.REDIS, family, folder / "cache", pinning))
        settings, broker = replace(settings, cache_url=cache.url), broker or cache
    return settings, broker


def _with_sink(
    launch: Launch, settings: Settings, logs: Path, cleanup: contextlib.ExitStack
) -> tuple[Settings, Sink | None]:
    servers = launch.needs.intersection(SERVERS)
    if not servers:
        return settings, None
    sink = cleanup.enter_context(running_sink(launch.family, servers, logs / "sink.log", launch.pinning))
    return replace(settings, http_sink=sink.http, smtp_sink=sink.smtp), sink


def _serving(launch: Launch, port: int) -> list[str]:
    """Return uvicorn's options."""
    where = ["--host", launch.host, "--port", str(port), "--loop", launch.loop, "--http", launch.http]
    processes = launch.settings.web_processes
    workers = ["--workers", str(processes)] if processes > 1 else []
    return [*where, "--no-access-log", "--log-level", "warning", *workers]


def _stop(launch: Launch, target: Target) -> None:
    for child in launch.family.end([*target.workers, *target.web], launch.grace_s):
        print(
            f"warning: the {child.role} process of {target.subject.key} still ran {launch.grace_s:g} s after "
            "SIGTERM and was killed: what it did then is lost, or runs again where a broker has it",
            file=sys.stderr,
            flush=True,
        )
