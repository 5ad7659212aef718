"""Seconds and memory from a campaign's folder to its whole report, beside a bare scan of the same files.

    python -m benchmarks.analysis [--sizes 100000,1000000,4000000]

A synthetic campaign holds 60 trials of four subjects at 15 rates (sizes differ in the length of trials),
with four events a task. Its tables, its whole report (the tables again, charts, page and files; no notebooks)
and the scan are each made in a process of their own, imports with them. The scan is DuckDB's: for each trial
rows, latencies' p50 and p99 and the last moment of every task. To reach: under 15 s and under 1.5 GiB for a
million tasks, and growth no worse than linear.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.processes import parser

MILLION = 1_000_000
MAX_SECONDS = 15.0
MAX_GIB = 1.5


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--sizes", default="100000,1000000,4000000", help="tasks a campaign")
    options.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options.add_argument("--campaign", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.part:
        print(PARTS[arguments.part](arguments.campaign), _peak_mib())
        return 0
    print(
        f"{'tasks':>10} {'tables s':>9} {'report s':>9} {'peak MiB':>9} {'us/task':>8} "
        f"{'scan s':>7} {'peak MiB':>9}"
    )
    reached = [measure(int(size)) for size in arguments.sizes.split(",")]
    print(f"to reach: {MAX_SECONDS:.0f} s and {MAX_GIB} GiB a million: {'yes' if all(reached) else 'NO'}")
    return 0 if all(reached) else 1


def measure(size: int) -> bool:
    """Make a campaign, analyse it in a fresh process, print its line; return whether it met the goal."""
    folder = Path(tempfile.mkdtemp(prefix="blockpoint-benchmark-"))
    try:
        tasks = make(folder / "c", size)
        (tables_s, _), (report_s, peak_mib) = (_asked(part, folder / "c") for part in ("tables", "report"))
        scan_s, scan_mib = _asked("scan", folder / "c")
    finally:
        shutil.rmtree(folder)
    print(
        f"{tasks:>10,.0f} {tables_s:>9.2f} {report_s:>9.2f} {peak_mib:>9.0f} {report_s / tasks * 1e6:>8.2f} "
        f"{scan_s:>7.2f} {scan_mib:>9.0f}",
        flush=True,
    )
    millions = max(1.0, tasks / MILLION)
    return report_s < MAX_SECONDS * millions and peak_mib < MAX_GIB * 1024 * millions


def _asked(part: str, campaign: Path) -> list[float]:
    """Return the figures of one part, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.analysis", "--part", part, "--campaign", str(campaign)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(word) for word in answer.split()]


def make(folder: Path, size: int) -> int:
    """Write a synthetic campaign of about `size` tasks; return how many they are."""
    from tests.analysis.gallery import SUBJECTS
    from tests.analysis.synthetic import Cell, build

    chosen = [SUBJECTS[index] for index in (1, 4, 8, 10)]
    rates = [20, 30, 50, 75, 100, 150, 200, 250, 300, 360, 440, 600, 750, 900, 1200]
    seconds = size / (len(chosen) * sum(rates))
    cells = [Cell(steps=[(rate, seconds, 100)], **subject) for subject in chosen for rate in rates]
    _, truths = build(folder, cells)
    return sum(len(truth.due_s) for truth in truths.values())


def tables(campaign: Path) -> float:
    """Return the seconds for the tables."""
    began = time.perf_counter()
    from analysis.trials.derive import derive

    derive(campaign)
    return time.perf_counter() - began


def report(campaign: Path) -> float:
    """Return the seconds for the whole report."""
    began = time.perf_counter()
    from analysis.report.build import make_report

    make_report(campaign)
    return time.perf_counter() - began


def scan(campaign: Path) -> float:
    """Return the seconds for a bare scan."""
    began = time.perf_counter()
    import duckdb

    duckdb.execute(
        f"""
        select filename, count(*), quantile_cont(replied_ns - due_ns, [0.5, 0.99])
        from read_parquet('{campaign}/trials/*/requests.parquet', filename = true) group by all
        """
    ).fetchall()
    duckdb.execute(
        f"""
        select filename, count(*), max(last) from (
            select filename, task_id, max(at_ns) as last
            from read_parquet('{campaign}/trials/*/events.parquet', filename = true) group by all
        ) group by all
        """
    ).fetchall()
    return time.perf_counter() - began


PARTS = {"tables": tables, "report": report, "scan": scan}


def _peak_mib() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, children) / unit


if __name__ == "__main__":
    sys.exit(main())
