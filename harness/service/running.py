"""Starts a service and what sees its tasks end, and ends both again."""

import contextlib
import os
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from harness.service.completions import reply_fields
from harness.service.journal import Order
from harness.service.service import Service, argv, secret
from harness.service.target import ASK_LIMIT_S, ServiceTarget
from harness.service.webhook import FIELD, Webhook, host_and_port
from harness.target import brokers
from harness.target.broker import Broker, free_port, write_privately
from harness.target.processes import Child
from harness.target.target import Launch
from results.errors import BlockpointError
from results.template import Template
from results.waiting import wait_until

GRACE_S = 2.0
"""time to end by itself; what it was asked to do by a trial need not be finished"""
LEDGER = "BLOCKPOINT_LEDGER"
"""tells `blockpoint.observe` where to record"""
FOLLOWED_SHARE = 0.5
"""tasks to looks: two of these a task, where it is waited for"""
LISTENING_LIMIT_S = 10.0


@contextlib.contextmanager
def running_service(service: Service, launch: Launch, logs: Path) -> Iterator[ServiceTarget]:
    """Start a service, or take the one that runs, and wait until it answers; what was started is ended.

    Raises BlockpointError for a process that exits at its start, and where nothing answers.
    """
    family = launch.family
    folder = family.folder / secrets.token_hex(4)
    (folder / "ledger").mkdir(parents=True)
    with contextlib.ExitStack() as cleanup:
        port = free_port() if service.started else 0
        url = f"http://{launch.host}:{port}" if service.started else ""
        webhook = Webhook.of(service.completions) if service.called_back else None
        asked = service.asked(url, webhook.url if webhook else "")
        target = ServiceTarget(service, asked, folder / "ledger", family)
        cleanup.callback(target.hang_up)
        fields = {"port": str(port)}
        if service.completions.source == "poll":
            cleanup.enter_context(_polled(target, launch, logs))
        if webhook:
            cleanup.enter_context(_called_back(target, launch, logs, webhook))
            fields[FIELD] = webhook.url
        if service.declared.server:
            target.server = cleanup.enter_context(_server(service.declared.server, launch, folder))
            fields[f"{service.declared.server}_url"] = target.server.url
        if service.started:
            cleanup.callback(lambda: family.end([*target.web, *target.workers], GRACE_S))
            _start(target, launch, fields, logs)
        target.await_answer()
        target.check()
        yield target


def _server(name: str, launch: Launch, folder: Path) -> contextlib.AbstractContextManager[Broker]:
    where = (launch.family, folder / "server", launch.pinning)
    return brokers.started(name, *where, appendonly=launch.appendonly)


@contextlib.contextmanager
def _polled(target: ServiceTarget, launch: Launch, logs: Path) -> Iterator[None]:
    """Have a process of its own ask for the tasks that the generator writes down: all of them in a drill."""
    completions = target.service.completions
    some_per_s = 0.0 if launch.settings.drills else completions.most_per_s * FOLLOWED_SHARE
    target.asked = msgspec.structs.replace(
        target.asked, reply_fields=reply_fields(completions), most_followed_per_s=some_per_s
    )
    with _recorded(target, launch, "harness.service.follower", logs / "follower.log"):
        yield


@contextlib.contextmanager
def _called_back(target: ServiceTarget, launch: Launch, logs: Path, webhook: Webhook) -> Iterator[None]:
    """Have a process of its own take the callbacks."""
    address = host_and_port(webhook.listen)
    with _recorded(target, launch, "harness.service.listener", logs / "callbacks.log", webhook.listen):

        def up() -> bool:
            target.check()
            with contextlib.suppress(OSError), socket.create_connection(address, ASK_LIMIT_S):
                return True
            return False

        if not wait_until(up, LISTENING_LIMIT_S):
            raise BlockpointError(f"[completions]: nothing listens at {webhook.listen}")
        yield


@contextlib.contextmanager
def _recorded(
    target: ServiceTarget, launch: Launch, module: str, log: Path, listen: str = ""
) -> Iterator[None]:
    """Have a process of its own record what it sees of the tasks that the generator writes down."""
    journal = target.ledger.parent / "journal"
    write_privately(journal, "")
    target.asked = msgspec.structs.replace(target.asked, journal=str(journal))
    order = journal.with_name("order.json")
    told = msgspec.json.encode(Order(target.asked, target.service.completions, str(target.ledger), listen))
    write_privately(order, told.decode())
    command = [sys.executable, "-m", module, str(order)]
    target.recorder = launch.family.spawn("sampler", command, log, {}, launch.pinning)
    try:
        yield
    finally:
        launch.family.stop(target.recorder, 0.0)


def _start(target: ServiceTarget, launch: Launch, fields: Mapping[str, str], logs: Path) -> None:
    service = target.service
    folder = service.folder / service.declared.cwd
    environment = _environment(service, fields, target.ledger)

    def spawn(role: str, words: Sequence[str], log: str) -> Child:
        command = [_program(words[0], folder), *(Template(word).fill(fields) for word in words[1:])]
        try:
            return launch.family.spawn(role, command, logs / log, environment, launch.pinning, cwd=folder)
        except OSError as error:
            raise BlockpointError(f"{' '.join(words)}: cannot be started: {error}") from None

    for index, worker in enumerate(service.workers):
        target.workers.append(spawn("worker", worker, f"worker-{index}.log"))
    target.web.append(spawn("web", argv(service.declared.command), "web.log"))


def _program(name: str, folder: Path) -> str:
    """Return where a program lies: seen from the service's folder, on the PATH, or beside our Python."""
    if "/" in name:
        found = shutil.which(folder / name)
    else:
        found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if not found:
        raise BlockpointError(f"[service] command {name!r}: there is no such program")
    return found


def _environment(service: Service, fields: Mapping[str, str], ledger: Path) -> dict[str, str]:
    """Return what the service gets beside what all of our processes get; it may import what lies about it."""
    declared = service.declared.environment
    own = {name: secret(Template(value).fill(fields)) for name, value in declared.items()}
    recorded = {LEDGER: str(ledger)} if service.completions.source == "observe" else {}
    return {
        "PYTHONSAFEPATH": "",
        "PYTHONPATH": "",
        "PATH": os.environ.get("PATH", os.defpath),
        **own,
        **recorded,
    }
