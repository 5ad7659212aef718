"""What recording costs: a sample at the client, a moment in the ledger, and the ledger in a running target.

    python -m benchmarks.recording [--pairs 30] [--seconds 2]

The same target runs twice, with the ledger and without it; closed loops as fast as they go visit the two in
turn, so that a drift of the machine meets both. The target is one process on one core, so what it can accept
is one second over the CPU time of a request, which other machines do not steal from.
Goals: below 0.3 us a sample and 1 us a moment; accepted throughput with the ledger within 2 % of that without
(median of the pairs, with its bootstrap interval).
"""

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil

from benchmarks.processes import closed_loop, free_port, machine, parser, table, target
from harness.target import direct
from loadtests.openloop.recorder import Recorder
from loadtests.openloop.schedule import PlannedStep, plan
from results.percentile import percentile
from results.terms import Moment, Outcome
from results.traffic import Traffic
from targets.ledger import Ledger

TARGET = "targets.app:background_tasks_async"
EVENTS = 20_000
ROUNDS = 300
HEALTH_LIMIT_S = 30.0
USERS = 32
GOAL_SAMPLE_US, GOAL_EVENT_US, GOAL_LOSS = 0.3, 1.0, 0.02


def fastest_us(body: Callable[[], None]) -> float:
    """Return the microseconds an event of the fastest of several rounds of `EVENTS` events."""
    times_s = []
    for _ in range(ROUNDS):
        started_s = time.perf_counter()
        body()
        times_s.append(time.perf_counter() - started_s)
    return min(times_s) / EVENTS * 1e6


def sample_us() -> float:
    """Return the cost of noting when a request was sent and how it ended."""
    recorder = Recorder(plan([PlannedStep(10.0, EVENTS / 10, 0.0)], seed=1, traffic=Traffic("constant")))
    rows = range(min(EVENTS, len(recorder.sent_ns)))

    def body() -> None:
        sent_ns, settle, accepted = recorder.sent_ns, recorder.settle, Outcome.ACCEPTED
        for row in rows:
            sent_ns[row] = row
            settle(row, accepted, 202, row, "")

    return fastest_us(body)


def event_us(folder: Path) -> float:
    """Return the cost of one moment in the ledger, files and clock included."""
    record, started = Ledger(folder).record, Moment.STARTED

    def body() -> None:
        for task_id in range(EVENTS):
            record(task_id, started, 1)

    return fastest_us(body)


def accepted_per_s(url: str, seconds: float) -> float:
    """Return the accepted tasks per second of the target's CPU time."""
    process = psutil.Process(direct.get_json(f"{url}/health", HEALTH_LIMIT_S)["pid"])
    before = process.cpu_times()
    requests, _ = closed_loop(url, seconds, USERS)
    after = process.cpu_times()
    return requests / (after.user + after.system - before.user - before.system)


def throughputs(app: str, folder: Path, pairs: int, seconds: float) -> np.ndarray:
    """Return accepted tasks per CPU second of an application, one row a pair: with a ledger, without one."""
    uvicorn = str(Path(sys.executable).with_name("uvicorn"))
    (folder / "ledger").mkdir()
    with ExitStack() as cleanup:
        urls = []
        for ledger in (str(folder / "ledger"), ""):
            port = free_port()
            command = (uvicorn, app, "--port", str(port), "--no-access-log")
            environment = {"BLOCKPOINT_LEDGER": ledger}
            log = folder / f"{port}.log"
            urls.append(cleanup.enter_context(target(port, *command, log=log, environment=environment)))
        measured = np.empty((pairs, 2))
        for pair in range(-1, pairs):
            order = (0, 1) if pair % 2 else (1, 0)
            for which in order:
                per_s = accepted_per_s(urls[which], seconds)
                if pair >= 0:
                    measured[pair, which] = per_s
    return measured


def change(measured: np.ndarray) -> tuple[float, float, float]:
    """Return by how much the first column is above the second: median of the pairs and its 95 % interval."""
    ratios = measured[:, 0] / measured[:, 1] - 1
    draws = np.median(np.random.default_rng(1).choice(ratios, (10_000, len(ratios))), axis=1)
    return float(np.median(ratios)), percentile(draws, 2.5), percentile(draws, 97.5)


def main() -> None:
    """Measure and print the table and the goals."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=30)
    options.add_argument("--seconds", type=float, default=2.0)
    arguments = options.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        sample, event = sample_us(), event_us(Path(name))
        measured = throughputs(TARGET, Path(name), arguments.pairs, arguments.seconds)
    faster, low, high = change(measured)
    with_ledger, without = np.median(measured, axis=0)
    met = {True: "met", False: "MISSED"}
    rows = [
        ["client, a sample", f"{sample:.2f} us", f"< {GOAL_SAMPLE_US} us", met[sample < GOAL_SAMPLE_US]],
        ["ledger, a moment", f"{event:.2f} us", f"< {GOAL_EVENT_US} us", met[event < GOAL_EVENT_US]],
        [
            "ledger, throughput",
            f"{with_ledger:.0f}/s against {without:.0f}/s: {faster:+.1%} [{low:+.1%}, {high:+.1%}]",
            f"within {GOAL_LOSS:.0%}",
            met[abs(faster) < GOAL_LOSS],
        ],
    ]
    print(table(["what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
