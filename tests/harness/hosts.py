"""Hosts of our own on one machine: network namespaces on a bridge, with addresses and clocks."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

NETWORK = "10.77.0"
PATIENCE_S = 10.0


class Host:
    """A namespace that lasts as long as the process that holds it."""

    def __init__(self, held: ExitStack, number: int, clock_s: int = 0) -> None:
        self.address = f"{NETWORK}.{number}"
        holder = subprocess.Popen(["unshare", "--net", "sleep", "600"])
        held.callback(holder.wait)
        held.callback(holder.kill)
        self.pid = holder.pid
        self.clock_s = clock_s
        own = Path("/proc/self/ns/net").readlink()
        until_s = time.monotonic() + PATIENCE_S
        while Path(f"/proc/{self.pid}/ns/net").readlink() == own:
            assert time.monotonic() < until_s, "no namespace came"
            time.sleep(0.01)
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


@contextmanager
def network(*clocks_s: int) -> Iterator[list[Host]]:
    """Yield a host for each clock, so many seconds ahead; skips where namespaces are not allowed."""
    with ExitStack() as held:
        try:
            subprocess.run(
                ["unshare", "--net", "--time", "--monotonic", "1", "true"], check=True, capture_output=True
            )
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no network and time namespaces here: {getattr(error, 'stderr', b'') or error!r}")
        if not shutil.which("ip"):
            pytest.skip("no `ip` here, which connects namespaces")
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
