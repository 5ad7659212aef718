"""What a killed command may have left behind: processes, listening ports, temporary files.

A command is known by the folder that its environment names as `BLOCKPOINT_RUNS`: every process that it
starts inherits that variable, and no other command has it.
"""

import contextlib
import errno
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.target.kin import MARKER


@dataclass
class Kin:
    """Everything that a command was seen to start, for as long as somebody looks."""

    runs: Path
    """the command's `BLOCKPOINT_RUNS`"""
    temporary: Path
    """the command's `TMPDIR`, which nothing else uses"""
    markers: set[str] = field(default_factory=set)
    ports: set[int] = field(default_factory=set)
    seen: dict[int, psutil.Process] = field(default_factory=dict)

    def look(self, root: psutil.Process) -> None:
        """Note the processes that live now, root's descendants among them, and their ports."""
        found = list(self._living())
        with contextlib.suppress(psutil.Error):
            found += root.children(recursive=True)
        for process in found:
            self.seen[process.pid] = process
            with contextlib.suppress(psutil.Error, OSError):
                self.markers |= {process.environ().get(MARKER, "")} - {""}
                self.ports |= {port for port, _ in _listening(process.net_connections("inet"))}

    def left(self) -> list[str]:
        """Say what is left of it, each in a few words; empty where nothing is."""
        living = {process.pid: process for process in (*self._living(), *self._still(self.seen))}
        found = [f"process {pid} ({_command(process)})" for pid, process in sorted(living.items())]
        found += [f"port {port} is still listened on" for port in sorted(self.ports) if self._bound(port)]
        if self.temporary.is_dir():
            found += [f"temporary {path.name}" for path in sorted(self.temporary.iterdir())]
        return found

    def _living(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.pid != os.getpid() and self._ours(process) and _lives(process):
                    yield process

    def _ours(self, process: psutil.Process) -> bool:
        environ = process.environ()
        return (
            environ.get("BLOCKPOINT_RUNS") == str(self.runs)
            or environ.get(MARKER) in self.markers
            or Path(process.cwd()).is_relative_to(self.temporary)
        )

    def _still(self, seen: Mapping[int, psutil.Process]) -> Iterator[psutil.Process]:
        for process in seen.values():
            with contextlib.suppress(psutil.Error):
                if process.is_running() and _lives(process):
                    yield process

    def _bound(self, port: int) -> bool:
        """Say whether a port of ours cannot be bound again; one that another program has taken since can."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return False
        owners = [pid for number, pid in _listening(psutil.net_connections("inet")) if number == port]
        return any(pid is None or pid in self.seen for pid in owners)


def _listening(connections: Iterable[Any]) -> list[tuple[int, int | None]]:
    """Return the listening ports among connections, each with the process that has it."""
    return [(c.laddr.port, getattr(c, "pid", None)) for c in connections if c.status == psutil.CONN_LISTEN]


def _lives(process: psutil.Process) -> bool:
    return bool(process.status() != psutil.STATUS_ZOMBIE)


def _command(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())[:80]
    return "?"
