"""Hosts of our own on one machine: network namespaces on a bridge, with addresses, clocks and agents."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil

from results.errors import BlockpointError
from results.waiting import wait_until

NETWORK: Final = "10.77.0"
PATIENCE_S: Final = 10.0
MAKES: Final = ("unshare", "--net", "--time", "--monotonic", "1", "true")
"""succeeds where a host with a clock of its own can be made"""
NEEDS: Final = {"ip": "iproute2", "nsenter": "util-linux"}
"""programs that are called, too, each by its package"""


class AbsentError(BlockpointError):
    """This machine has not what hosts are made of, or does not let us."""


class Host:
    """A namespace that lasts as long as the process that holds it."""

    def __init__(self, held: ExitStack, number: int, clock_s: int = 0) -> None:
        self.address = f"{NETWORK}.{number}"
        holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        held.callback(holder.wait)
        held.callback(holder.kill)
        self.pid = holder.pid
        self.clock_s = clock_s
        own, its = (Path(f"/proc/{pid}/ns/net") for pid in ("self", self.pid))
        if not wait_until(lambda: its.readlink() != own.readlink(), PATIENCE_S):
            raise AbsentError(f"no network namespace came within {PATIENCE_S:g} s")
        self.call("ip", "link", "set", "lo", "up")

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs another on this host, by its clock."""
        clock = ("unshare", "--time", "--monotonic", str(self.clock_s), "--fork", "--kill-child")
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net", *(clock if self.clock_s else ()), *command]

    def blockpoint(self, *arguments: str) -> list[str]:
        """Return the command line that runs ours on this host."""
        return self.inside(sys.executable, "-m", "harness", *arguments)

    def end(self, process: "subprocess.Popen[bytes]") -> None:
        """End what was started inside: what changes the clock hears no signal, its child does."""
        running = psutil.Process(process.pid)
        for each in running.children() if self.clock_s else [running]:
            each.terminate()
        process.wait(PATIENCE_S)

    def call(self, *command: str) -> None:
        """Run a command on this host; raises CalledProcessError with what it said."""
        subprocess.run(self.inside(*command), check=True, capture_output=True, text=True)

    def impair(self, how: str) -> None:
        """Let what leaves this host be delayed or lost, in netem's words; raises AbsentError."""
        try:
            self.call("tc", "qdisc", "add", "dev", "eth0", "root", "netem", *how.split())
        except (OSError, subprocess.CalledProcessError) as error:
            raise AbsentError(
                f"no netem here: {_said(error)}; it takes `tc` of iproute2, and a kernel with sch_netem"
            ) from None


def require_hosts() -> None:
    """Raise AbsentError where hosts cannot be made."""
    try:
        subprocess.run(MAKES, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise AbsentError(f"no network and time namespaces here: {_said(error)}") from None
    for program, package in NEEDS.items():
        if not shutil.which(program):
            raise AbsentError(f"no `{program}` here: it is of {package}")


def _said(error: OSError | subprocess.CalledProcessError) -> str:
    """Return in one line why a command could not be run, or what it said."""
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}"
    lines = str(error.stderr).split("\n")
    return " ".join(filter(None, map(str.strip, lines))) or f"{error.cmd[0]} ended with {error.returncode}"


@contextmanager
def network(*clocks_s: int) -> Iterator[list[Host]]:
    """Yield a host for each clock, so many seconds ahead; raises AbsentError where hosts cannot be made."""
    require_hosts()
    with ExitStack() as held:
        switch = Host(held, 254)
        switch.call("ip", "link", "add", "lan", "type", "bridge")
        switch.call("ip", "link", "set", "lan", "up")
        hosts = [Host(held, number, clock_s) for number, clock_s in enumerate(clocks_s, 1)]
        for number, host in enumerate(hosts, 1):
            port, peer = f"port{number}", ("peer", "name", "eth0", "netns", str(host.pid))
            switch.call("ip", "link", "add", port, "type", "veth", *peer)
            switch.call("ip", "link", "set", port, "master", "lan", "up")
            host.call("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
            host.call("ip", "link", "set", "eth0", "up")
        yield hosts


@contextmanager
def agent_process(
    listen: str, environ: Mapping[str, str], inside: Sequence[str] = ()
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Yield an agent in a process of its own, begun by `inside`, and where it answers."""
    command = [*inside, sys.executable, "-m", "harness", "agent", "--listen", listen]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            told = (re.search(r"http://[\d.:]+", line) for line in process.stdout)
            url = next(filter(None, told), None)
            if url is None:
                raise RuntimeError(f"no agent came: {' '.join(command)}")
            yield process, url[0]
        finally:
            process.kill()
