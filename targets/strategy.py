"""What a strategy is, and how the installed ones are found."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Protocol

from fastapi import BackgroundTasks

from results.errors import BlockpointError, unknown
from results.schema import Service, Subject
from targets.settings import Settings
from targets.task import Task

GROUP = "blockpoint.strategies"


class QueueFullError(Exception):
    """Raised by `submit` where a bounded queue has no room; the endpoint answers 503."""


class UnreachableError(Exception):
    """Raised by `submit` where the broker did not take the task in bounded time; the endpoint answers 503.

    The task may have reached the broker all the same: nobody can tell from a time-out.
    """


class Strategy(Protocol):
    """One way to run a task off the request path, in one variant."""

    services: Mapping[str, Service]
    """how it serves each kind of task"""
    workers: Sequence[Sequence[str]]
    """commands of the worker processes, run with this interpreter's `-m`; empty when in-process"""
    queues: Sequence[str]
    """broker keys in which tasks wait"""
    max_attempts: int
    """runs that a failing task gets in all"""
    settings: Mapping[str, Any]
    """what the variant sets, for the record"""
    window_s: float
    """longest time for which the broker hides a task whose worker died; 0: it hides none"""
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


class InProcess:
    """What strategies without workers have in common: nothing to start, ask or stop."""

    services: Mapping[str, Service]
    workers: Sequence[Sequence[str]] = ()
    queues: Sequence[str] = ()
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


@dataclass(frozen=True)
class Variant:
    """One configuration of a strategy."""

    summary: str
    build: Callable[[Settings], Strategy]
    """returns the strategy without opening anything"""


@dataclass(frozen=True)
class Definition:
    """What an entry point of the group `blockpoint.strategies` names."""

    name: str
    summary: str
    variants: Mapping[str, Variant]
    requires: Mapping[str, str] = field(default_factory=dict)
    """distributions and the lowest version of each that works"""

    def build(self, variant: str, settings: Settings) -> Strategy:
        """Return the strategy in that variant; raises BlockpointError where it is unknown or too old."""
        if variant not in self.variants:
            raise unknown(f"variant of {self.name}", variant, self.variants)
        check_versions(self)
        return self.variants[variant].build(settings)

    def subject(self, variant: str, settings: Settings) -> Subject:
        """Return the variant's declaration for the manifest; raises like `build`."""
        strategy = self.build(variant, settings)
        return Subject(
            strategy=self.name,
            variant=variant,
            summary=self.variants[variant].summary,
            services=dict(strategy.services),
            max_attempts=strategy.max_attempts,
            queues=list(strategy.queues),
            workers=len(strategy.workers),
            window_s=getattr(strategy, "window_s", 0.0),
            supervised=getattr(strategy, "supervised", False),
            settings=dict(strategy.settings),
        )


def discover() -> dict[str, Definition]:
    """Return every installed strategy by name; raises BlockpointError where one does not load."""
    found: dict[str, Definition] = {}
    for entry in metadata.entry_points(group=GROUP):
        found[entry.name] = _load(entry)
    return found


def find(name: str) -> Definition:
    """Return one strategy, loading no other; raises BlockpointError where there is none of that name."""
    entries = metadata.entry_points(group=GROUP)
    if name not in entries.names:
        raise unknown("strategy", name, entries.names)
    return _load(entries[name])


def split_name(target: str) -> tuple[str, str]:
    """Split `celery` or `celery_tuned` into strategy and variant (`default` where it names none)."""
    names = metadata.entry_points(group=GROUP).names
    if target in names:
        return target, "default"
    strategy, _, variant = target.rpartition("_")
    if strategy in names:
        return strategy, variant
    raise unknown("strategy", target, names)


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


def _load(entry: metadata.EntryPoint) -> Definition:
    try:
        definition = entry.load()
    except Exception as error:
        raise BlockpointError(f"strategy {entry.name} ({entry.value}) does not load: {error}") from error
    if not isinstance(definition, Definition):
        raise BlockpointError(f"strategy {entry.name}: {entry.value} is not a targets.strategy.Definition")
    return definition
