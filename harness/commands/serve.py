"""The command `serve`: one target in the foreground."""

import contextlib
import ipaddress
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from harness.campaign.unheeded import unheeded
from harness.target.broker import write_privately
from harness.target.cores import Pinning
from harness.target.own import look_for
from harness.target.processes import family
from harness.target.sink import SERVERS
from harness.target.target import CACHE, Launch, Target, running_target
from results.errors import BlockpointError
from targets.settings import Settings, asked_of_a_target, variable

GRACE_S = 10.0
SEED = 1
"""of the choice of a task's arguments"""


def serve(
    *, strategy: str, variant: str, host: str, port: int, asked: Mapping[str, str], **options: Any
) -> None:
    """Bring a target up, say how to load it, and take it down on Ctrl-C or SIGTERM.

    Raises BlockpointError for an unknown strategy, a port in use or a process that exits.
    """
    _warn_beyond_loopback(host)
    _refuse_unusable(host, port)
    settings, wishes = _settings(asked, options)
    for line in unheeded(settings, wishes, [f"{strategy}/{variant}"]):
        click.echo(line, err=True)
    if task := options["task"]:
        look_for(task, strategy)
        settings = task.settings(settings, SEED)
    how = {name: options[name] for name in ("loop", "http", "redis_url")}
    with family() as members:
        launch = Launch(
            members,
            Pinning(),
            settings,
            host=host,
            port=port,
            grace_s=GRACE_S,
            needs=SERVERS | {CACHE},
            task_packages=task.packages if task else (),
            **how,
        )
        with running_target(launch, strategy, variant, members.folder) as target:
            target.preflight("sleep")
            for line in _introduced(target, members.folder):
                click.echo(line)
            if task:
                click.echo(
                    f"your task {task.name}: --kind own_wait, own_compute, or own_await for an async def"
                )
            _until_interrupted(target)


def _until_interrupted(target: Target) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        click.echo("Ctrl-C takes everything down.")
        while True:
            target.check()
            time.sleep(0.5)
    click.echo("taking it down")


def _introduced(target: Target, folder: Path) -> Iterator[str]:
    """Yield what a person needs to know of a target; its broker's password is only for this user."""
    yield f"{target.subject.key}: {target.subject.summary}"
    for child in target.children():
        yield f"  {child.role:7} pid {child.pid}, log {child.log}"
    if target.broker and target.broker.child:
        url = folder / "broker.url"
        write_privately(url, target.broker.url)
        yield f"  broker  URL with its password in {url}"
    yield f"  ledger  {target.ledger}"
    yield f"  API     {target.url} (docs at {target.url}/docs)"
    yield "load it with, for example:"
    yield f"  locust -f loadtests/steady.py --headless --host {target.url} --rate 50 --duration-ms 100"


def _settings(asked: Mapping[str, str], options: Mapping[str, Any]) -> tuple[Settings, dict[str, str]]:
    """Return the settings, options before variables before defaults, and how each was asked for."""
    variables = asked_of_a_target()
    settings = Settings.from_environment({variable(name): value for name, value in variables.items()})
    wishes = {name: f"{variable(name)}={value}" for name, value in variables.items()}
    return replace(settings, **{name: options[name] for name in asked}), {**wishes, **asked}


def _refuse_unusable(host: str, port: int) -> None:
    if not host or ":" in host:
        raise BlockpointError(f"--host needs an IPv4 address or a name, not {host!r}")
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise BlockpointError(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
        ) from None


def _warn_beyond_loopback(host: str) -> None:
    if not _is_loopback(host):
        shown = host or "no address, which means all,"
        click.echo(
            f"warning: {shown} is not loopback; whoever reaches it can burn this machine's CPU", err=True
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
