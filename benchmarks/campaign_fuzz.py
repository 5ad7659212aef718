"""Whether any harm done to a campaign's folder is refused in one line, or leaves what it says true.

    python -m benchmarks campaign_fuzz [--mutations 1000] [--seed 1] [--only N]

Each mutation harms a copy of a synthetic campaign (measurements, every third time drills) in one way that a
seed chose: bytes, files, links and pipes, documents and tables that say otherwise, forged checksums among
them. Then everything is made of it that `report` makes but the notebooks, and the charts are drawn of every
fourth that tells otherwise. To reach: no other exception than the one clear line, none that takes more than
10 s of CPU time, or a minute by the clock, and no table that says of a trial left alone what is not so.
"""

import contextlib
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from benchmarks.processes import ROOT, parser
from tests.analysis.harms import HARMS, Done, Whole, drilled, measured

MOST_CPU_S = 10.0
MOST_S = 60.0
"""what waits for a pipe uses no CPU"""
MOST_BYTES = 4 * 2**30
DRAWN = 4
SORTS = ("refused", "true", "WRONG", "EXCEPTION", "TOO LONG")


class TooLongError(BaseException):
    """Not an Exception, so that nobody takes it for one of theirs."""


FAULTS: dict[type[BaseException], str] = {TooLongError: "TOO LONG", AssertionError: "WRONG"}


@dataclass
class Tally:
    """How the mutations ended."""

    sorts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """by harm and one of `SORTS`"""
    faults: int = 0
    longest_s: float = 0.0


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--mutations", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only", type=int, help="the number of the one mutation to be made")
    given = options.parse_args()
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGPROF, _too_long)
    signal.signal(signal.SIGALRM, _too_long)
    numbers = range(given.mutations) if given.only is None else [given.only]
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="blockpoint-fuzz-") as folder:
        campaigns = measured(Path(folder) / "measured"), drilled(Path(folder) / "drilled")
        for number in numbers:
            mutate(campaigns[number % 3 == 2], number, Random(f"{given.seed}/{number}"), tally)
    show(tally)
    return 1 if tally.faults else 0


def mutate(whole: Whole, number: int, random: Random, tally: Tally) -> None:
    """Make one mutation, and say what became of it where it is a fault."""
    harm = random.choice(HARMS)
    done, where = Done(harm.__name__), ""
    began_s = time.process_time()
    try:
        with whole.copy() as folder, bounded():
            done = harm(folder, random)
            drawn = bool(done.told) and number % DRAWN == 0
            sort = "refused" if whole.survives(folder, done, drawn=drawn) else "true"
    except (TooLongError, Exception) as error:
        sort, where = FAULTS.get(type(error), "EXCEPTION"), _where(error)
    tally.longest_s = max(tally.longest_s, time.process_time() - began_s)
    tally.sorts[harm.__name__, sort] += 1
    if where:
        tally.faults += 1
        print(f"{number}: {sort}: {done.words}\n{where}", flush=True)


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Raise TooLongError in the block where it goes on for too long."""
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
    signal.setitimer(signal.ITIMER_REAL, MOST_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def show(tally: Tally) -> None:
    """Print how many mutations of each kind ended how."""
    print(f"{'harm':>20} {'in all':>7}" + "".join(f" {sort:>10}" for sort in SORTS))
    for name in [*sorted({harm for harm, _ in tally.sorts}), "all of them"]:
        counts = [
            sum(n for (h, s), n in tally.sorts.items() if s == sort and name in (h, "all of them"))
            for sort in SORTS
        ]
        print(f"{name:>20} {sum(counts):>7,}" + "".join(f" {count:>10,}" for count in counts))
    print(f"longest: {tally.longest_s:.1f} s of CPU time")
    print(f"faults: {tally.faults} (to reach: 0)")


def _too_long(*_: object) -> None:
    raise TooLongError


def _where(error: BaseException) -> str:
    """Return the last lines of our own code that an exception went through, and what it says."""
    passed = [frame for frame in traceback.extract_tb(error.__traceback__) if ".venv" not in frame.filename]
    ours = [frame for frame in passed if frame.filename.startswith(str(ROOT))][-4:]
    lines = [f"    {frame.filename}:{frame.lineno} {frame.name}: {frame.line}" for frame in ours]
    return "\n".join([*lines, f"    {type(error).__name__}: {' '.join(str(error).split())[:300]}"])


if __name__ == "__main__":
    sys.exit(main())
