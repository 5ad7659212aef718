"""How often the saturation verdict is wrong, and how long one trial's verdicts take.

    python -m benchmarks.verdicts [--seeds 50] [--samples 1000000]

Queues whose truth is known (`benchmarks.simulation`), by utilisation rho, in % of the trials: `lean` is the
share of wrong yes-or-no answers, false positives below saturation and false negatives above (at rho = 1
neither answer is wrong: the share of `behind`); `wrong` the share that was certain and wrong, `open` the
share left undecided. A certain "keeps up" is wrong where 5 % or more of the arrivals stay behind (rho from
1.0526). N is the number of arrivals after the warm-up.

To reach: `wrong` at most 5 % on average over the queues with a fixed number of arrivals; one trial's
verdicts (backlog, and three p99s with intervals) under 1 s for a million tasks.
"""

import itertools
import sys
import time

import numpy as np

from analysis.queueing import backlog_growth
from analysis.stats import block_interval, censored_percentile
from analysis.trials.backlog import completion_slope, measure
from analysis.trials.growth import NEAR
from benchmarks.processes import parser
from benchmarks.simulation import Arrivals, Law, Queue, trial

RHOS = (0.5, 0.8, 0.9, 0.95, 0.975, 1.0, 1.025, 1.05, 1.1, 1.5)
QUEUES: tuple[tuple[Arrivals, Law], ...] = (
    ("conditioned", "deterministic"),
    ("conditioned", "exponential"),
    ("poisson", "deterministic"),
    ("onoff", "exponential"),
)
SLOTS = (1, 10, 40)
SIZES = (30, 100, 400, 1600, 6000)
MAX_WRONG = 0.05
MAX_SECONDS = 1.0


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=50, help="trials a cell")
    options.add_argument("--samples", type=int, default=1_000_000, help="tasks of the timed trial")
    arguments = options.parse_args()
    wrong = rates(arguments.seeds)
    seconds = verdict_seconds(arguments.samples)
    reached = wrong <= MAX_WRONG and seconds < MAX_SECONDS
    print(f"one trial's verdicts on {arguments.samples:,} tasks: {seconds:.2f} s")
    print(f"to reach: certain and wrong <= {MAX_WRONG:.0%}, verdicts < {MAX_SECONDS:g} s: {_yes(reached)}")
    return 0 if reached else 1


def rates(seeds: int) -> float:
    """Print the table; return the share of certain and wrong verdicts over the conditioned queues."""
    print(f"{'arrivals':12}{'service':14}{'slots':>5}{'N':>6}  {'':7}" + "".join(f"{r:>7g}" for r in RHOS))
    audited = []
    for (arrivals, law), slots, size in itertools.product(QUEUES, SLOTS, SIZES):
        if size < 4 * slots:  # shorter than about four services
            continue
        cells = [_cell(Queue(arrivals, law, slots), rho, size, seeds) for rho in RHOS]
        where = f"{arrivals:12}{law:14}{slots:>5}{size:>6}  "
        for name, column in zip(("lean", "wrong", "open"), zip(*cells, strict=True), strict=True):
            print(where + f"{name:7}" + "".join(f"{100 * share:>7.0f}" for share in column), flush=True)
            where = " " * len(where)
        audited += [wrong for _, wrong, _ in cells] if arrivals == "conditioned" else []
    return float(np.mean(audited))


def _cell(queue: Queue, rho: float, size: int, seeds: int) -> tuple[float, float, float]:
    """Return the shares of wrong leans (at rho = 1: of `behind`), certain and wrong, and undecided."""
    truth = backlog_growth(rho)
    lean = wrong = undecided = 0
    for seed in range(seeds):
        tasks, step = trial(queue, rho, size, seed)
        found = measure(tasks, step, step.rate_per_s, held=queue.law == "deterministic")
        mistaken = found.behind != (rho > 1)
        lean += mistaken
        wrong += found.certain and (truth == 0 if found.behind else truth >= NEAR) and rho != 1
        undecided += not found.certain
    return lean / seeds, wrong / seeds, undecided / seeds


def verdict_seconds(samples: int) -> float:
    """Return the seconds of one trial's backlog verdict and of the three p99s with their intervals."""
    tasks, step = trial(Queue("conditioned", "deterministic", 40), 0.9, samples, seed=1)
    waits = (tasks["finished_ns"] - tasks["due_ns"]).to_numpy() / 1e6
    empty = np.empty(0)
    began = time.perf_counter()
    measure(tasks, step, step.rate_per_s, held=True)
    completion_slope(tasks, step)
    for _ in range(3):
        censored_percentile(waits, empty, 99)
        block_interval(waits, 99)
    return time.perf_counter() - began


def _yes(reached: bool) -> str:
    return "yes" if reached else "NO"


if __name__ == "__main__":
    sys.exit(main())
