"""What `blockpoint.observe` costs a service, by the moment and by the request with a background task.

    python -m benchmarks.observe [--pairs 30] [--seconds 2]

A moment, a run (two moments around a function that does nothing) and what a request with its task takes more
than without (four moments, a layer and a wrapper; no server) are timed in a process that records, and what it
would take more for the moments alone: between a request's own code they cost more than in a loop. Then the
same service runs twice, with a ledger and without one; closed loops as fast as they go visit the two in turn,
and what it accepts in a second of its CPU time is compared: median of the pairs, with its bootstrap interval.
The request's cost is held against the CPU time of one without a ledger: as it is, and with a millisecond of
work. Goals: a moment below 2 us; a request within 1 %.
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
WORK_US = 1000.0


def costs_us(folder: Path) -> dict[str, float]:
    """Return what a moment, a run, a request and its moments alone cost, file and clock included."""
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
    moment, request, empty_us = costs["moment"], costs["request"], 1e6 / bare
    within = f"< {GOAL_LOSS:.0%}"

    def share(what: str, cost_us: float, of_us: float) -> list[str]:
        lost = cost_us / of_us
        return [what, f"{cost_us:.2f} us of {of_us:.0f} us: {lost:.1%}", within, met[lost < GOAL_LOSS]]

    rows = [
        ["a moment", f"{moment:.2f} us", f"< {GOAL_MOMENT_US:g} us", met[moment < GOAL_MOMENT_US]],
        ["a run", f"{costs['run']:.2f} us", "", ""],
        share("an empty request", request, empty_us),
        share("its four moments alone", costs["floor"], empty_us),
        share("a request that works 1 ms", request, empty_us + WORK_US),
        [
            "requests/s of CPU time",
            f"{observed:.0f} against {bare:.0f}: {faster:+.1%} [{low:+.1%}, {high:+.1%}]",
            "",
            "",
        ],
    ]
    print(table(["what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
