"""How fast the open-loop generator is and how well it keeps its schedule, beside other generators.

    python -m benchmarks.generator [--seconds 3] [--repeats 4] [--rates 500,1000,2000,4000,5000,6000,8000]

The generator has core 1, its target core 0. The target is `benchmarks.fast_target`: no framework, so that the
generator and not the target is the limit; beside it the real FastAPI target at the rates that it can hold.
Each rate is run several times and the run with the least slip p99 shown: what other programs take, and on a
virtual machine other machines, can only add to it. The share of a core that was stolen stands beside it.
Goals: slip p99 below 1 ms at 5,000/s, and more than half of closed-loop FastHttpUser's maximum.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.processes import (
    GENERATOR_CORE,
    closed_loop,
    free_port,
    locust,
    machine,
    parser,
    pinned,
    table,
    target,
)
from results.documents import read_document
from results.load import Load

GOAL_RATE_PER_S, GOAL_SLIP_MS = 5_000, 1.0
CLOSED_USERS = 64
REAL_RATES_PER_S = (200, 500, 1_000)
HEADER = (
    *("generator", "target", "rate/s", "sent/s"),
    *("slip p50 ms", "p99", "p99.9", "reply p50 ms"),
    *("CPU", "steal", "gate"),
)


def open_loop(
    url: str, name: str, rate_per_s: int, seconds: float, folder: Path
) -> tuple[Load, list[object]]:
    """Run one rate once; returns the document and a row of the table."""
    out = Path(tempfile.mkdtemp(dir=folder))
    out.rmdir()
    before, started_s = psutil.cpu_times(), time.monotonic()
    arguments = ("--rate", str(rate_per_s), "--seconds", str(seconds), "--duration-ms", "0")
    printed = locust("steady", url, out, *arguments, "--drain-seconds", "2")
    load = read_document(out / "load.json", Load)
    stolen = _steal(psutil.cpu_times()) - _steal(before)
    reply = re.search(r"accept +p50 +([\d.]+)", printed)
    sent_per_s = (load.scheduled - load.shed) * load.achieved_ratio / seconds
    slips = (f"{ms:.2f}" for ms in (load.slip_p50_ms, load.slip_p99_ms, load.slip_p999_ms))
    verdict = ", ".join(reason.split(":")[0] for reason in load.reasons) or "passed"
    row = ["open loop", name, rate_per_s, f"{sent_per_s:.0f}", *slips]
    return load, [
        *row,
        reply[1] if reply else "",
        f"{load.cpu_cores:.2f}",
        f"{stolen / (time.monotonic() - started_s):.2f}",
        verdict,
    ]


def _steal(times: object) -> float:
    return float(getattr(times, "steal", 0.0))


def least_disturbed(
    url: str, name: str, rate_per_s: int, arguments: argparse.Namespace, folder: Path
) -> tuple[Load, list[object]]:
    """Run one rate several times; returns the run with the least slip p99."""
    runs = [open_loop(url, name, rate_per_s, arguments.seconds, folder) for _ in range(arguments.repeats)]
    return min(runs, key=lambda run: run[0].slip_p99_ms)


def wrk(url: str, seconds: float) -> list[list[object]]:
    """Run wrk with one thread where it is installed; returns rows of the table."""
    program = shutil.which("wrk")
    if program is None:
        return []
    command = [
        program,
        "-t1",
        f"-c{CLOSED_USERS}",
        f"-d{max(round(seconds), 1)}s",
        "--latency",
        f"{url}/ping",
    ]
    ran = subprocess.run(pinned(GENERATOR_CORE, command), capture_output=True, text=True, check=False)
    per_s = re.search(r"Requests/sec: +([\d.]+)", ran.stdout)
    median = re.search(r"50% +([\d.]+)(us|ms)", ran.stdout)
    median_ms = float(median[1]) / (1000 if median[2] == "us" else 1) if median else float("nan")
    sent = f"{float(per_s[1]):.0f}" if per_s else ""
    return [[f"wrk -t1 -c{CLOSED_USERS}", "fast", "max", sent, "", "", "", f"{median_ms:.2f}", "", "", ""]]


def main() -> None:
    """Run all and print the table and the goals."""
    options = parser(__doc__)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--repeats", type=int, default=4)
    options.add_argument("--rates", default="500,1000,2000,4000,5000,6000,8000")
    arguments = options.parse_args()
    rates_per_s = [int(rate) for rate in arguments.rates.split(",")]
    print(machine(), flush=True)
    rows: list[list[object]] = []
    loads: dict[int, Load] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = free_port()
        fast = (sys.executable, "-m", "benchmarks.fast_target", str(port))
        with target(port, *fast, log=folder / "fast.log") as url:
            for rate_per_s in rates_per_s:
                loads[rate_per_s], row = least_disturbed(url, "fast", rate_per_s, arguments, folder)
                rows.append(row)
            _, (closed_per_s, mean_ms) = closed_loop(url, arguments.seconds, CLOSED_USERS)
            users, mean = f"FastHttpUser x{CLOSED_USERS}", f"{mean_ms:.2f} (mean)"
            row = [users, "fast", "max", f"{closed_per_s:.0f}", "", "", "", mean, "", "", ""]
            rows += [row, *wrk(url, arguments.seconds)]
        port = free_port()
        uvicorn = str(Path(sys.executable).with_name("uvicorn"))
        real = (uvicorn, "targets.app:background_tasks_async", "--port", str(port), "--no-access-log")
        with target(port, *real, log=folder / "real.log") as url:
            rows += [least_disturbed(url, "FastAPI", rate, arguments, folder)[1] for rate in REAL_RATES_PER_S]
    print(table(HEADER, rows))
    held_per_s = max((rate for rate, load in loads.items() if not load.reasons), default=0)
    if GOAL_RATE_PER_S in loads:
        slip_ms = loads[GOAL_RATE_PER_S].slip_p99_ms
        met = "met" if slip_ms < GOAL_SLIP_MS else "MISSED"
        print(f"goal: slip p99 below {GOAL_SLIP_MS} ms at {GOAL_RATE_PER_S}/s: {slip_ms:.2f} ms, {met}")
    met = "met" if held_per_s > closed_per_s / 2 else "MISSED"
    print(f"goal: more than half of FastHttpUser's {closed_per_s:.0f}/s: {held_per_s}/s held, {met}")


if __name__ == "__main__":
    main()
