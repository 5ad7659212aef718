"""What `blockpoint.observe` costs a service: a moment, and what it takes of a request with a background task.

    python -m benchmarks.observe [--pairs 30] [--seconds 2]

The same service runs twice, with a ledger and without one; closed loops as fast as they go visit the two in
turn, and what it accepts in a second of its CPU time is compared: four moments, a layer and a wrapper a
request. Goals: a moment below 2 us; accepted throughput within 1 % (median of the pairs, with its bootstrap
interval).
"""

import os
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.processes import machine, parser, table
from benchmarks.recording import EVENTS, change, fastest_us, throughputs

GOAL_MOMENT_US, GOAL_LOSS = 2.0, 0.01


def moment_us(folder: str) -> float:
    """Return the cost of one moment, file and clock included."""
    os.environ["BLOCKPOINT_LEDGER"] = folder  # read when the module is first imported
    from blockpoint import observe

    def body() -> None:
        for task_id in range(EVENTS):
            observe.record(task_id, observe.STARTED)

    return fastest_us(body)


def main() -> None:
    """Measure and print the table and the goals."""
    options = parser(__doc__)
    options.add_argument("--pairs", type=int, default=30)
    options.add_argument("--seconds", type=float, default=2.0)
    arguments = options.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        measured = throughputs("benchmarks.observed:app", Path(folder), arguments.pairs, arguments.seconds)
        moment = moment_us(folder)
    faster, low, high = change(measured)
    observed, bare = np.median(measured, axis=0)
    met = {True: "met", False: "MISSED"}
    rows = [
        ["a moment", f"{moment:.2f} us", f"< {GOAL_MOMENT_US:g} us", met[moment < GOAL_MOMENT_US]],
        [
            "throughput",
            f"{observed:.0f}/s against {bare:.0f}/s: {faster:+.1%} [{low:+.1%}, {high:+.1%}]",
            f"within {GOAL_LOSS:.0%}",
            met[abs(faster) <= GOAL_LOSS],
        ],
    ]
    print(table(["what", "measured", "goal", ""], rows))


if __name__ == "__main__":
    main()
