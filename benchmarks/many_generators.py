"""What the master of many generators needs: memory, and time from the last report to the written run.

    python -m benchmarks.many_generators [--rate 100000] [--seconds 10] [--workers 20]

A real Locust master leads workers that are simulated: they send nothing and report at once as many rows as
they would have (`benchmarks.simulated_workers`). Memory is that which only the master holds and the system
cannot take back (`RssAnon`): rows wait in files without a name. Goals: below 2 GB and within 60 s.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.processes import ROOT, free_port, machine, parser, table, target
from results.documents import read_document
from results.load import Load

GOAL_MB, GOAL_S = 2_000.0, 60.0
POLL_S = 0.02
LIMIT_S = 600.0


def anonymous_mb(pid: int) -> float:
    """Return the memory that only this process holds, 0 where it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0


def lead(folder: Path, rate: float, seconds: float, workers: int) -> tuple[float, float, float, Load]:
    """Return the master's memory before the reports and at most, the seconds after the last, and the run."""
    web, bus, out = free_port(), free_port(), folder / "out"
    locust = str(Path(sys.executable).with_name("locust"))
    command = [locust, "-f", "loadtests/steady.py", "--master", "--headless", "--only-summary"]
    command += ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(bus)]
    command += ["--expect-workers", str(workers), "--host", f"http://127.0.0.1:{web}", "--out", str(out)]
    command += ["--rate", f"{rate:g}", "--seconds", f"{seconds:g}", "--duration-ms", "1"]
    simulate = [sys.executable, "-m", "benchmarks.simulated_workers", str(bus), str(workers)]
    serve = (sys.executable, "-m", "benchmarks.fast_target", str(web))
    with (
        target(web, *serve, log=folder / "target.log"),
        (folder / "master.log").open("w") as log,
        (folder / "reported").open("w+") as reported,
        subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log) as master,
        subprocess.Popen(simulate, cwd=ROOT, stdout=reported, stderr=log) as simulated,
    ):
        seen_mb, until_s = [anonymous_mb(master.pid)], time.monotonic() + LIMIT_S
        before_mb = 0.0
        while master.poll() is None and not (out / "load.json").exists() and time.monotonic() < until_s:
            seen_mb.append(anonymous_mb(master.pid))
            if os.fstat(reported.fileno()).st_size == 0:
                before_mb = seen_mb[-1]
            time.sleep(POLL_S)
        ended_ns = time.monotonic_ns()
        master.wait(LIMIT_S)
        simulated.terminate()
        reported.seek(0)
        last_ns = max(map(int, reported.read().split()), default=ended_ns)
    if not (out / "load.json").exists():
        raise RuntimeError((folder / "master.log").read_text())
    return before_mb, max(seen_mb), (ended_ns - last_ns) / 1e9, read_document(out / "load.json", Load)


def main() -> None:
    """Measure and print the table and the goals."""
    options = parser(__doc__)
    options.add_argument("--rate", type=float, default=100_000.0)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--workers", type=int, default=20)
    given = options.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        before_mb, most_mb, seconds, load = lead(Path(name), given.rate, given.seconds, given.workers)
    rows = sum(each.requests for each in load.generators)
    head = [
        "workers",
        "rate/s",
        "rows",
        "master before",
        "at most",
        "last report to load.json",
        "a million rows",
    ]
    shown = [len(load.generators), f"{given.rate:.0f}", rows, f"{before_mb:.0f} MB", f"{most_mb:.0f} MB"]
    print(table(head, [[*shown, f"{seconds:.1f} s", f"{seconds / rows * 1e6:.1f} s"]]))
    met = {True: "met", False: "MISSED"}
    print(f"    goal: below {GOAL_MB:.0f} MB: {most_mb:.0f} MB, {met[most_mb < GOAL_MB]}")
    print(f"    goal: within {GOAL_S:.0f} s: {seconds:.1f} s, {met[seconds < GOAL_S]}")


if __name__ == "__main__":
    main()
