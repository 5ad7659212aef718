"""What it costs a target to be scraped: its CPU time by the scrape, and its throughput with one every second.

    python -m benchmarks.scraping [--pairs 30] [--seconds 4] [--every 1]

One running target, the leanest and then one with a queue in Redis, is visited by closed loops as fast as they
go, in turn with and without a scraper beside them; what it accepts in a second of its CPU time is compared. A
scrape connects anew, counts the ledger's new records and asks the broker for each queue. Every 15 s costs a
fifteenth of what every second does, too little to be measured: that row is arithmetic. Goal: accepted
throughput with a scrape every second within 1 % (median of the pairs, with its bootstrap interval).
"""

import sys
import tempfile
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import numpy as np
import psutil

from benchmarks.processes import free_port, machine, parser, table, target
from benchmarks.recording import HEALTH_LIMIT_S, accepted_per_s, change
from harness.target import direct
from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.redis_broker import embedded_redis

LEAN: Final = "background_tasks_async"
QUEUED: Final = "celery_tuned"
SCRAPES: Final = 300
SELDOM_S: Final = 15
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
    """Ask again and again until the block ends; raises what `scrape` does."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(every_s):
            scrape(url)

    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(ask)
        try:
            yield
        finally:
            over.set()
        asked.result()


@dataclass(frozen=True)
class Subject:
    """A running target, and how what it has accepted is thrown away."""

    name: str
    url: str
    forget: Callable[[], object]


def scrape_ms(subject: Subject) -> float:
    """Return the CPU time that a scrape costs the web process while nothing else does."""
    process = psutil.Process(direct.get_json(f"{subject.url}/health", HEALTH_LIMIT_S)["pid"])
    before = process.cpu_times()
    for _ in range(SCRAPES):
        scrape(subject.url)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / SCRAPES * 1e3


def throughputs(subject: Subject, given: Namespace) -> np.ndarray:
    """Return accepted tasks per CPU second, one row a pair: scraped, unscraped."""
    measured = np.empty((given.pairs, 2))
    for pair in range(-1, given.pairs):
        for which in (0, 1) if pair % 2 else (1, 0):
            with nullcontext() if which else scraped(subject.url, given.every):
                per_s = accepted_per_s(subject.url, given.seconds)
            subject.forget()
            if pair >= 0:
                measured[pair, which] = per_s
    return measured


@contextmanager
def subjects(folder: Path) -> Iterator[list[Subject]]:
    """Run both targets; their workers are none, since only accepting is measured."""
    uvicorn = str(Path(sys.executable).with_name("uvicorn"))
    with ExitStack() as cleanup:
        members = cleanup.enter_context(family())
        broker = cleanup.enter_context(embedded_redis(members, folder / "broker", Pinning()))
        running = []
        for name in (LEAN, QUEUED):
            port = free_port()
            command = (uvicorn, f"targets.app:{name}", "--port", str(port), "--no-access-log")
            environment = {
                "BLOCKPOINT_LEDGER": str(folder / name),
                "BLOCKPOINT_REDIS_URL": broker.url,
                "BLOCKPOINT_UNITS_PER_MS_CPU": "1000",
                "BLOCKPOINT_UNITS_PER_MS_CPU_NATIVE": "1",
            }
            log = folder / f"{name}.log"
            url = cleanup.enter_context(target(port, *command, log=log, environment=environment))
            running.append(Subject(name, url, broker.client.flushdb))
        yield running


def rows_of(subject: Subject, given: Namespace) -> list[list[str]]:
    """Return the rows of the table about one target."""
    cost_ms = scrape_ms(subject)
    measured = throughputs(subject, given)
    faster, low, high = change(measured)
    with_scrapes, without = np.median(measured, axis=0)
    share = cost_ms / 1e3
    met = {True: "met", False: "MISSED"}[-faster <= GOAL_LOSS]
    figures = f"{with_scrapes:.0f}/s against {without:.0f}/s: {faster:+.1%} [{low:+.1%}, {high:+.1%}]"
    return [
        [subject.name, "a scrape", f"{cost_ms:.2f} ms of CPU time", "", ""],
        [subject.name, f"every {given.every:g} s", figures, f"within {GOAL_LOSS:.0%}", met],
        [subject.name, "the same, by arithmetic", f"{-share / given.every:+.2%}", "", ""],
        [subject.name, f"every {SELDOM_S} s, by arithmetic", f"{-share / SELDOM_S:+.3%}", "", ""],
    ]


def main() -> None:
    """Measure and print the table and the goal."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=30)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--every", type=float, default=1.0)
    given = options.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name, subjects(Path(name)) as running:
        rows = [row for subject in running for row in rows_of(subject, given)]
    print(table(["target", "what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
