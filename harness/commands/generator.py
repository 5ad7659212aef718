"""The command `generator`: Locust workers for a master on another host, started anew for each trial."""

import re
import sys
import time
from collections.abc import Callable

from harness.target.cores import Pinning, available_cores
from harness.target.processes import Child, Family, family
from results.errors import BlockpointError

POLL_S = 0.1
SHORTEST_S = 2.0
"""a worker that ends sooner has not worked"""
_ADDRESS = re.compile(r"([\w.-]+):([0-9]{1,5})")


def generate(*, master: str, processes: int, say: Callable[[str], object]) -> None:
    """Keep so many workers connected until interrupted; raises BlockpointError for a bad address."""
    given = _ADDRESS.fullmatch(master)
    if not given or not 1 <= int(given[2]) <= 65535:
        raise BlockpointError(f"--master: {master!r} is not HOST:PORT, such as 10.0.0.5:5557")
    arguments = ["--worker", "--master-host", given[1], "--master-port", given[2]]
    command = [sys.executable, "-m", "locust", "-f", "-", *arguments]
    with family() as members:
        say(f"{processes} generators wait for {master}; Ctrl-C ends them")
        workers = [_worker(members, command, index) for index in range(processes)]
        while True:
            workers = [worker if worker.running else _again(members, worker, say) for worker in workers]
            time.sleep(POLL_S)


def _worker(members: Family, command: list[str], index: int) -> Child:
    cores = available_cores()
    pinning = Pinning(generator=(cores[-1 - index % len(cores)],)) if len(cores) > 1 else Pinning()
    log, home = members.folder / f"generator-{index + 1}.log", {"HOME": str(members.folder)}
    return members.spawn("generator", command, log, home, pinning)


def _again(members: Family, worker: Child, say: Callable[[str], object]) -> Child:
    """Start a worker for the next trial; one that failed says why, and waits a moment."""
    if worker.process.returncode:
        say(f"a generator ended with code {worker.process.returncode}; it said last:\n{worker.log_tail()}")
        time.sleep(SHORTEST_S)
    worker.log.write_bytes(b"")
    return members.again(worker)
