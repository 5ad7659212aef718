"""What it costs a target to be scraped: its CPU time by the scrape, and its throughput with one every second.

    python -m benchmarks.scraping [--pairs 100] [--seconds 1] [--every 1]

One running target, the leanest and then one with a queue in Redis, is under a closed loop as fast as it goes.
Short stretches with a scraper beside it and without one take turns, and what it accepts in a second of its
CPU time is compared: stretches that follow each other met the same machine. A scrape connects anew, counts
the ledger's new records and asks the broker for each queue. Every 15 s costs a fifteenth of what every second
does, too little to be measured: that row is arithmetic. Goal: accepted throughput with a scrape every second
within 1 % (median of the pairs, with its bootstrap interval).
"""

import os
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from benchmarks.processes import (
    GENERATOR_CORE,
    closed_loop_beside,
    free_port,
    machine,
    parser,
    table,
    target,
)
from benchmarks.recording import HEALTH_LIMIT_S, USERS, change
from harness.target import direct
from harness.target.cores import Pinning, available_cores
from harness.target.processes import family
from harness.target.redis_broker import embedded_redis
from targets.queues import WAITING
from targets.tally import Tally

LEAN: Final = "background_tasks_async"
QUEUED: Final = "celery_tuned"
SCRAPES: Final = 300
SELDOM_S: Final = 15
WARM_S: Final = 5.0
"""from the start of the closed loop until it goes as fast as it can"""
GOAL_LOSS: Final = 0.01
ANSWER_LIMIT_S: Final = 10.0
"""Prometheus' own"""


def scrape(url: str) -> None:
    """Ask for a target's metrics once; raises RuntimeError where it does not tell all that it should."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=ANSWER_LIMIT_S)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    if b"\nblockpoint_backlog_tasks " not in answer.read():
        raise RuntimeError(f"/metrics answered {answer.status}, or without a backlog")
    connection.close()


@contextmanager
def scraped(url: str, every_s: float) -> Iterator[None]:
    """Ask again and again until the block ends, first after half of that time; raises what `scrape` does."""
    over = threading.Event()

    def ask() -> None:
        due_s = time.monotonic() + every_s / 2
        while not over.wait(due_s - time.monotonic()):
            scrape(url)
            due_s += every_s

    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(ask)
        try:
            yield
        finally:
            over.set()
        asked.result()


@dataclass(frozen=True)
class Subject:
    """A running target, where its ledger and its log are, and how what it has queued is thrown away."""

    name: str
    url: str
    folder: Path
    forget: Callable[[], object]

    @property
    def process(self) -> psutil.Process:
        """The web process."""
        return psutil.Process(direct.get_json(f"{self.url}/health", HEALTH_LIMIT_S)["pid"])


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def scrape_ms(subject: Subject) -> float:
    """Return the CPU time that a scrape costs the web process while nothing else does."""
    process = subject.process
    before_s = cpu_s(process)
    for _ in range(SCRAPES):
        scrape(subject.url)
    return (cpu_s(process) - before_s) / SCRAPES * 1e3


def throughputs(subject: Subject, given: Namespace) -> np.ndarray:
    """Return accepted tasks per CPU second, one row a pair: scraped, unscraped."""
    measured = np.empty((given.pairs, 2))
    process, tally = subject.process, Tally(subject.folder, max_attempts=1)
    with closed_loop_beside(subject.url, USERS, subject.folder / "locust.log"):
        time.sleep(WARM_S)
        for pair in range(given.pairs):
            for which in (0, 1) if pair % 2 else (1, 0):
                with nullcontext() if which else scraped(subject.url, given.every):
                    measured[pair, which] = accepted_per_s(process, tally, given.seconds)
            subject.forget()
    return measured


def accepted_per_s(process: psutil.Process, tally: Tally, seconds: float) -> float:
    """Return what is accepted from now on in a second of the target's CPU time."""
    tally.outstanding()
    accepted, before_s = tally.accepted, cpu_s(process)
    time.sleep(seconds)
    used_s = cpu_s(process) - before_s
    tally.outstanding()
    return (tally.accepted - accepted) / used_s


@contextmanager
def subjects(folder: Path) -> Iterator[list[Subject]]:
    """Run both targets; their workers are none, since only accepting is measured."""
    uvicorn = str(Path(sys.executable).with_name("uvicorn"))
    with ExitStack() as cleanup:
        members = cleanup.enter_context(family())
        broker = cleanup.enter_context(embedded_redis(members, folder / "broker", Pinning()))
        running = []
        for name in (LEAN, QUEUED):
            port, own = free_port(), folder / name
            own.mkdir()
            command = (uvicorn, f"targets.app:{name}", "--port", str(port), "--no-access-log")
            environment = {
                "BLOCKPOINT_LEDGER": str(own),
                "BLOCKPOINT_REDIS_URL": broker.url,
                "BLOCKPOINT_UNITS_PER_MS_CPU": "1000",
                "BLOCKPOINT_UNITS_PER_MS_CPU_NATIVE": "1",
            }
            url = cleanup.enter_context(
                target(port, *command, log=own / "target.log", environment=environment)
            )
            running.append(Subject(name, url, own, partial(broker.client.delete, WAITING)))
        yield running


def rows_of(subject: Subject, given: Namespace) -> list[list[str]]:
    """Return the rows of the table about one target."""
    cost_ms = scrape_ms(subject)
    measured = throughputs(subject, given)
    faster, low, high = change(measured)
    with_scrapes, without = np.median(measured, axis=0)
    share = cost_ms / 1e3
    figures = f"{with_scrapes:.0f}/s against {without:.0f}/s: {faster:+.2%} [{low:+.2%}, {high:+.2%}]"
    return [
        [subject.name, "a scrape", f"{cost_ms:.2f} ms of CPU time", "", ""],
        [subject.name, f"every {given.every:g} s", figures, f"within {GOAL_LOSS:.0%}", verdict(low, high)],
        [subject.name, "the same, by arithmetic", f"{-share / given.every:+.2%}", "", ""],
        [subject.name, f"every {SELDOM_S} s, by arithmetic", f"{-share / SELDOM_S:+.3%}", "", ""],
    ]


def verdict(low: float, high: float) -> str:
    """Return whether the goal is met, as far as the interval of the change tells."""
    if low >= -GOAL_LOSS:
        return "met"
    return "MISSED" if high < -GOAL_LOSS else "open: too noisy"


def main() -> None:
    """Measure and print the table and the goal."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=100)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--every", type=float, default=1.0)
    given = options.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name, subjects(Path(name)) as running:
        if GENERATOR_CORE in available_cores():
            os.sched_setaffinity(0, {GENERATOR_CORE})  # who scrapes is elsewhere
        rows = [row for subject in running for row in rows_of(subject, given)]
    print(table(["target", "what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
