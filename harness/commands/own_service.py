"""What commands do alike with a service of somebody's own: say what it is, and start it as a strategy."""

import dataclasses
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from harness.campaign.session import Setup
from harness.service.running import running_service
from harness.service.service import Service
from harness.target.cores import Pinning
from harness.target.target import Launch, Target
from harness.terminal.given import given_options
from results.errors import BlockpointError
from results.terms import Stream
from results.text import named
from targets.settings import Settings

FOREIGN: Final = (
    "spread",
    *("strategies", "variants", "kinds", "durations_ms", "topologies", "versions", "python", "cv", "mix"),
    *(
        "slots",
        "anyio_tokens",
        "web_processes",
        "middleware",
        "loop",
        "http",
        "redis_url",
        "predict",
        "generators",
        "agent",
    ),
    *("task_name", "task_args", "task_packages", "task_folders", "task_environment"),
)
"""options that say something of strategies only"""
SEEN: Final = {
    "none": "not seen, so that only the blocking point can be found",
    "poll": "asked for by polling",
    "webhook": "told by the service, which calls back",
    "observe": "recorded by blockpoint.observe",
}


def with_service(setup: Setup, service: Service) -> Setup:
    """Return a setup that starts a service in the place of a strategy."""

    def start(launch: Launch, _strategy: str, _variant: str, logs: Path) -> AbstractContextManager[Target]:
        return running_service(service, launch, logs)

    def settings_of(_key: str, base: Settings, _pinning: Pinning) -> Settings:
        return base

    return dataclasses.replace(setup, start=start, settings_of=settings_of)


def service_lines(service: Service) -> Iterator[str]:
    """Yield what a service is, and what it is asked, in lines."""
    declared = service.declared
    if service.started:
        yield f"service {service.name}: started in {named(service.folder / declared.cwd)}, and ended again"
        command = declared.command
        yield f"  command      {command if isinstance(command, str) else shlex.join(command)}"
        for worker in service.workers:
            yield f"  beside it    {shlex.join(worker)}"
        if declared.server:
            yield f"  server       {declared.server}, started for it"
    else:
        yield f"service {service.name}: runs at {declared.url}"
    for column, words in service.asked("http://127.0.0.1").words().items():
        yield f"  {label(column):<12} {words}"
    yield f"  completions  {SEEN[service.completions.source]}"


def label(column: str) -> str:
    """Return how the stream of a column is called where the service has its own words for it."""
    return "submits" if column == Stream.TASKS.column else column.replace("_", " ")


def refuse_foreign() -> None:
    """Raise BlockpointError for an option that says something of strategies only."""
    for option in given_options():
        if option.name in FOREIGN:
            raise BlockpointError(
                f"{option.opts[0]} says nothing of a service of your own: leave it out with -f"
            )
