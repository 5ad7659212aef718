"""What a closed loop hides: the same stalled server, seen by closed and open loops and by arithmetic.

    python -m benchmarks.coordinated_omission [--seconds 30]

The server stands still 0.5 s in every 5 s; 200 requests a second are meant for it. A request that is due
during a stall waits for the rest of it, so the true p99 follows from the stalls alone. Goal: open loop within
5 %.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.processes import free_port, locust, machine, parser, table, target
from results.documents import read_document
from results.load import Load
from results.percentile import percentile
from results.tables import read_table
from results.terms import NEVER

STALL_S, PERIOD_S, RATE_PER_S = 0.5, 5.0, 200
GOAL = 0.05


def true_latency_ms(due_ns: np.ndarray, stalls_ns: np.ndarray) -> np.ndarray:
    """Return the latency in ms that the stalls, rows of begin and end, alone give to requests due then."""
    wait_ns = np.zeros(len(due_ns))
    for begin, end in stalls_ns:
        within = (due_ns >= begin) & (due_ns < end)
        wait_ns[within] = end - due_ns[within]
    return wait_ns / 1e6


def measured(folder: Path) -> tuple[Load, np.ndarray, np.ndarray]:
    """Return the document, the due times in ns and the latencies in ms of a run's requests."""
    requests = read_table(folder, "requests")
    due, replied = (requests.column(name).to_numpy() for name in ("due_ns", "replied_ns"))
    answered = replied != NEVER
    return read_document(folder / "load.json", Load), due, (replied - due)[answered] / 1e6


def main() -> None:
    """Run all and print the table and the goal."""
    options = parser(__doc__)
    options.add_argument("--seconds", type=float, default=30.0, help="a multiple of the period")
    seconds = options.parse_args().seconds
    print(machine(), flush=True)
    runs = {
        "closed loop, 1 user": ("closed_loop", "--users", "1"),
        "closed loop, 100 users": ("closed_loop", "--users", "100"),
        "open loop": ("steady",),
    }
    rows: list[list[object]] = []
    error = float("nan")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        server = (sys.executable, "-m", "benchmarks.fast_target", str(port), str(STALL_S), str(PERIOD_S))
        for number, (label, (scenario, *extra)) in enumerate(runs.items()):
            log, out = folder / f"stalls{number}", folder / f"run{number}"
            with target(port, *server, log=log) as url:
                common = ("--rate", str(RATE_PER_S), "--seconds", str(seconds), "--duration-ms", "0")
                locust(scenario, url, out, *common, *extra, "--bystander-rate", "1", "--warm-up", "0")
            stalls_ns = np.loadtxt(log, dtype=np.int64, ndmin=2)
            load, due_ns, latency_ms = measured(out)
            p99_ms = percentile(latency_ms, 99)
            if load.closed:
                begin, end = load.steps[0].from_ns, load.steps[0].to_ns
                meant_ns = np.arange(begin, end, 1e9 / RATE_PER_S)
            else:
                meant_ns = due_ns
            truth_ms = percentile(true_latency_ms(meant_ns, stalls_ns), 99)
            error = p99_ms / truth_ms - 1
            p50_ms = percentile(latency_ms, 50)
            row = [label, len(due_ns), f"{p50_ms:.2f}", f"{p99_ms:.1f}", f"{truth_ms:.1f}"]
            rows.append([*row, f"{error:+.1%}"])
    met = "met" if abs(error) < GOAL else "MISSED"
    print(table(("generator", "requests", "p50 ms", "p99 ms", "true p99 ms", "error"), rows))
    print(f"goal: open loop within {GOAL:.0%} of the truth: {error:+.1%}, {met}")


if __name__ == "__main__":
    main()
