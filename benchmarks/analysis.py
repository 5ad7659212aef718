"""Seconds and memory from a campaign's folder to its tables and all charts, and how both grow.

    python -m benchmarks.analysis [--sizes 100000,1000000,4000000]

A synthetic campaign holds 40 trials of four subjects at ten rates (sizes differ in the length of trials),
with four events a task; each size is analysed in a process of its own. To reach: under 10 s and under
1.5 GiB for a million tasks, growth no worse than linear.
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
MAX_SECONDS = 10.0
MAX_GIB = 1.5


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--sizes", default="100000,1000000,4000000", help="tasks a campaign")
    options.add_argument("--analyse", type=Path, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.analyse:
        print(*analyse(arguments.analyse))
        return 0
    print(f"{'tasks':>10} {'tables s':>9} {'charts s':>9} {'in all s':>9} {'peak MiB':>9} {'us/task':>8}")
    reached = [measure(int(size)) for size in arguments.sizes.split(",")]
    print(f"to reach: {MAX_SECONDS:.0f} s and {MAX_GIB} GiB a million: {'yes' if all(reached) else 'NO'}")
    return 0 if all(reached) else 1


def measure(size: int) -> bool:
    """Make a campaign, analyse it in a fresh process, print its line; return whether it met the goal."""
    folder = Path(tempfile.mkdtemp(prefix="blockpoint-benchmark-"))
    try:
        make(folder / "c", size)
        asked = [sys.executable, "-m", "benchmarks.analysis", "--analyse", str(folder / "c")]
        answer = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    finally:
        shutil.rmtree(folder)
    tasks, tables_s, charts_s, peak_mib = (float(word) for word in answer.split())
    total = tables_s + charts_s
    print(
        f"{tasks:>10,.0f} {tables_s:>9.2f} {charts_s:>9.2f} {total:>9.2f} {peak_mib:>9.0f} "
        f"{total / tasks * 1e6:>8.2f}",
        flush=True,
    )
    millions = max(1.0, tasks / MILLION)
    return total < MAX_SECONDS * millions and peak_mib < MAX_GIB * 1024 * millions


def make(folder: Path, size: int) -> None:
    """Write a synthetic campaign of about `size` tasks."""
    from tests.analysis.gallery import SUBJECTS
    from tests.analysis.synthetic import Cell, build

    chosen = [SUBJECTS[index] for index in (1, 4, 8, 10)]
    rates = [20, 50, 100, 200, 300, 360, 440, 600, 900, 1200]
    seconds = size / (len(chosen) * sum(rates))
    cells = [Cell(steps=[(rate, seconds, 100)], **subject) for subject in chosen for rate in rates]
    build(folder, cells)


def analyse(folder: Path) -> tuple[int, float, float, float]:
    """Return tasks, seconds for the tables (imports with them), seconds for the charts, and peak MiB."""
    began = time.perf_counter()
    from analysis.report.build import draw_all
    from analysis.trials.derive import derive

    derived = derive(folder)
    between = time.perf_counter()
    draw_all(derived, folder / "charts")
    ended = time.perf_counter()
    tasks = int(sum(plan.rate_per_s * plan.seconds for plan in derived.manifest.plans))
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return tasks, between - began, ended - between, peak


if __name__ == "__main__":
    sys.exit(main())
