"""What `blockpoint.observe` costs a service, by the moment and by the request with a background task.

    python -m benchmarks.observe [--pairs 30] [--seconds 2]

A moment, and a run (two moments around a function that does nothing), are timed in a process that records.
Then the same service runs twice, with a ledger and without one; closed loops as fast as they go visit the two
in turn, and what it accepts in a second of its CPU time is compared: four moments, a layer and a wrapper a
request. Goals: a moment below 2 us; accepted throughput within 1 % (median of the pairs, with its bootstrap
interval).
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.processes import ROOT, machine, parser, table
from benchmarks.recording import change, throughputs

GOAL_MOMENT_US, GOAL_LOSS = 2.0, 0.01


def costs_us(folder: Path) -> dict[str, float]:
    """Return what a moment and a run cost, file and clock included."""
    command = [sys.executable, "-m", "benchmarks.moments"]
    recording = {**os.environ, "BLOCKPOINT_LEDGER": str(folder)}  # read when the module is first imported
    timed = subprocess.run(command, env=recording, cwd=ROOT, capture_output=True, check=True)
    return dict(json.loads(timed.stdout))


def main() -> None:
    """Measure and print the table and the goals."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=30)
    options.add_argument("--seconds", type=float, default=2.0)
    arguments = options.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        costs = costs_us(Path(name) / "moments")
        measured = throughputs("benchmarks.observed:app", Path(name), arguments.pairs, arguments.seconds)
    faster, low, high = change(measured)
    observed, bare = np.median(measured, axis=0)
    met = {True: "met", False: "MISSED"}
    moment = costs["moment"]
    rows = [
        ["a moment", f"{moment:.2f} us", f"< {GOAL_MOMENT_US:g} us", met[moment < GOAL_MOMENT_US]],
        ["a run", f"{costs['run']:.2f} us", "", ""],
        [
            "throughput",
            f"{observed:.0f}/s against {bare:.0f}/s: {faster:+.1%} [{low:+.1%}, {high:+.1%}]",
            f"within {GOAL_LOSS:.0%}",
            met[abs(faster) <= GOAL_LOSS],
        ],
        ["a request", f"{1e6 / observed:.0f} us against {1e6 / bare:.0f} us of CPU time", "", ""],
    ]
    print(table(["what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
