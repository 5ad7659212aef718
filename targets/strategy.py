"""What a strategy is: what it has to say and do, in which variants it comes, and how it is declared."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Protocol

from fastapi import BackgroundTasks
from fastapi.params import Depends
from msgspec.structs import replace

from results.errors import BlockpointError, lookup
from results.schema import Demand, Service, Subject
from results.terms import KINDS, Stream
from targets.settings import Settings
from targets.soundness import in_words, misfit, undeclared
from targets.task import Task


class QueueFullError(Exception):
    """Raised by `submit` where a bounded queue has no room; the endpoint answers 503."""


class UnreachableError(Exception):
    """Raised by `submit` where the broker did not take the task in bounded time; the endpoint answers 503.

    The task may have reached the broker all the same: nobody can tell from a time-out.
    """


class Strategy(Protocol):
    """One way to run a task off the request path, in one variant."""

    services: Mapping[str, Service]
    """how it serves each kind of task; a kind that coroutines can await need not be named: it is served as
    `sleep` is, by the same threads, processes or coroutines"""
    workers: Sequence[Sequence[str]]
    """commands of the worker processes, run with this interpreter's `-m`; empty when in-process"""
    queues: Sequence[str]
    """where tasks wait in the broker: Redis' keys, or PostgreSQL's `table/status`"""
    max_attempts: int
    """runs that a failing task gets in all"""
    settings: Mapping[str, Any]
    """what the variant sets, for the record"""
    window_s: float
    """longest time for which the broker hides a task whose worker died; 0: it hides none, or for good"""
    supervised: bool
    """its worker commands start the worker again when it exits"""

    async def start(self) -> None:
        """Open what submitting needs; called in the web process's event loop."""

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Return once the task is accepted; raises QueueFullError or UnreachableError.

        `background` is FastAPI's own, injected into the endpoint.
        """

    async def state(self, task_id: int) -> str | None:
        """Return the library's own view of a task; None where it has none."""

    async def stop(self) -> None:
        """Drain and close what the strategy owns."""


class Defaults:
    """What a strategy need not say: it has nothing to start, ask or stop, and runs a task once."""

    services: Mapping[str, Service]
    max_attempts = 1
    settings: Mapping[str, Any] = {}
    window_s = 0.0
    supervised = False

    async def start(self) -> None:
        """Do nothing."""

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: nothing outside the ledger knows."""
        return None

    async def stop(self) -> None:
        """Do nothing."""


class InProcess(Defaults):
    """A strategy without workers; see `targets.queues` for one that has some."""

    workers: Sequence[Sequence[str]] = ()
    queues: Sequence[str] = ()
    dependencies: Sequence[Depends] = ()
    """see `dependencies_of`"""


def dependencies_of(strategy: Strategy) -> Sequence[Depends]:
    """Return what FastAPI injects into each request that submits: a strategy's `dependencies`, mostly none.

    Where there are any, `/ping-db` is there too, and depends on the same.
    """
    found: Sequence[Depends] = getattr(strategy, "dependencies", ())
    return found


@dataclass(frozen=True)
class Variant:
    """One configuration of a strategy."""

    summary: str
    build: Callable[[Settings], Strategy]
    """returns the strategy without opening anything; see `lazily` for one whose library is not everywhere"""
    by_name_only: bool = False
    """left out of profiles that measure every strategy; drills do not leave it out"""


def lazily(where: str) -> Callable[[Settings], Strategy]:
    """Return what builds `module:Class` and imports it only then, so that its name is known without it."""

    def build(settings: Settings) -> Strategy:
        module, _, name = where.partition(":")
        made: Strategy = getattr(importlib.import_module(module), name)(settings)
        return made

    return build


@dataclass(frozen=True)
class Definition:
    """What an entry point of the group `blockpoint.strategies` names."""

    name: str
    summary: str
    variants: Mapping[str, Variant]
    requires: Mapping[str, str] = field(default_factory=dict)
    """distributions and the lowest version of each that works"""
    broker: str = ""
    """the server between web and workers, `redis` or `postgresql`; empty where there is none"""
    usual: bool = True
    """taken by the profiles that have only minutes, too"""
    place: int = 100
    """where it stands among the others, from the simplest on"""

    def variant(self, name: str) -> Variant:
        """Return one of its variants; raises BlockpointError where there is none of that name."""
        return lookup(f"variant of {self.name}", name, self.variants)

    def build(self, variant: str, settings: Settings) -> Strategy:
        """Return the strategy in that variant; raises BlockpointError where it is unknown or unsound."""
        chosen = self.variant(variant)
        check_versions(self)
        key = f"strategy {self.name}/{variant}"
        try:
            strategy = chosen.build(settings)
        except BlockpointError:
            raise
        except (Exception, SystemExit) as error:
            raise BlockpointError(f"{key} cannot be built: {in_words(error)}") from error
        if fault := misfit(strategy, Strategy):
            raise BlockpointError(f"{key} {fault}")
        return strategy

    def subject(self, variant: str, settings: Settings) -> Subject:
        """Return the variant's declaration for the manifest; raises like `build`."""
        strategy = self.build(variant, settings)
        try:
            subject = self._declared(strategy, variant, settings)
            fault = undeclared(subject)
        except (TypeError, ValueError, RecursionError) as error:
            fault = f"declares what cannot be recorded: {in_words(error)}"
        if fault:
            raise BlockpointError(f"strategy {self.name}/{variant} {fault}")
        return subject

    def _declared(self, strategy: Strategy, variant: str, settings: Settings) -> Subject:
        return Subject(
            strategy=self.name,
            variant=variant,
            summary=self.variants[variant].summary,
            services=demanding(_of_all_processes(strategy, settings), settings),
            max_attempts=strategy.max_attempts,
            queues=list(strategy.queues),
            workers=len(strategy.workers),
            settings=dict(strategy.settings),
            window_s=getattr(strategy, "window_s", 0.0),
            supervised=getattr(strategy, "supervised", False),
            bystanders=[Stream.PING_DB.column] if dependencies_of(strategy) else [],
        )


def _of_all_processes(strategy: Strategy, settings: Settings) -> dict[str, Service]:
    """Return how it serves; one without workers declares a single web process, of which there may be more."""
    services = completed(strategy.services)
    if strategy.workers or settings.web_processes == 1:
        return services
    return {kind: service.in_each_of(settings.web_processes) for kind, service in services.items()}


def completed(services: Mapping[str, Service]) -> dict[str, Service]:
    """Return how every kind is served: what is awaited as `sleep`, and a `def` of the user's own as `cpu`.

    That is where they are not named.
    """
    unnamed = {name: kind for name, kind in KINDS.items() if kind.awaited or kind.own}
    like = {name: "sleep" if kind.awaited else "cpu" for name, kind in unnamed.items()}
    return {**{name: services[other] for name, other in like.items() if other in services}, **services}


def demanding(services: Mapping[str, Service], settings: Settings) -> dict[str, Service]:
    """Return the same services, those of the user's own task with what it was measured to take."""
    if not settings.own_task:
        return dict(services)
    demand = Demand(gil=settings.own_gil, cores=settings.own_cores, loop=settings.own_loop)
    return {
        name: replace(service, demand=demand) if name in KINDS and KINDS[name].own else service
        for name, service in services.items()
    }


def check_versions(definition: Definition) -> None:
    """Raise BlockpointError where an installed library is below a strategy's floor."""
    for distribution, floor in definition.requires.items():
        try:
            installed = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            installed = ""
        if _release(installed) < _release(floor):
            raise BlockpointError(
                f"strategy {definition.name} needs {distribution} {floor} or newer, "
                f"{installed or 'none'} is installed: run `make setup`"
            )


def _release(version: str) -> tuple[int, ...]:
    numbers: list[int] = []
    for part in version.split("."):
        if not part.isdigit():
            break
        numbers.append(int(part))
    return tuple(numbers)
