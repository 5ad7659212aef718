"""Whether any harm to a trial's processes is hidden in a trial that counts.

    python -m benchmarks attack [--trials 200] [--seed 1]

A grid of normal trials runs, and in each of them one process chosen at random (a worker or a child of it, the
web process, broker, generator, sampler or guardian) is killed, stopped for a while, or told to end, at a
random moment. Then every sealed trial is counted again from its raw rows by code that shares nothing with the
harness (`benchmarks/recount.py`). Exits with 1 where a trial that counts hides a loss, a trial's own accounts
are not those of its rows, or a trial that does not count, or was not measured, does not name what happened.
"""

import contextlib
import math
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.processes import campaign, parser
from benchmarks.recount import recount

SUBJECTS = (
    "background_tasks/default",
    "threadpool/tuned",
    "celery/default",
    "celery/tuned",
    "celery/durable",
    "arq/tuned",
    "arq/durable",
)
RATES = ("15", "30")
"""a second, of tasks of 200 ms: with four slots below and above saturation"""
GRID = ["--duration", "200ms", "--slots", "4", "--seconds", "2", "--attempts", "1", "--profile", "smoke"]
NAME = "attacked"
ROLES = {
    "guardian": "harness.target.guardian",
    "sampler": "harness.trial.sampler",
    "generator": "locust",
    "web": "uvicorn",
    "broker": "-server",
}
"""what stands in the command of a process of each role; what else there is belongs to a worker"""
ACTIONS = ("kill", "stop", "end")
WITHIN_S = 5.0
"""after a trial's folder appears: its generator needs about a second to start, its load lasts two"""
STOPPED_S = (0.5, 2.0)
"""longer than the sampler's interval; shorter stops may go unseen"""
NAMED_BY = {
    "worker": ("worker",),
    "child": ("worker",),
    "web": ("web", "no longer answers", "was not accepted"),
    "broker": ("broker", "was not accepted"),
    "generator": ("generator", "slip", "rate", "interrupted"),
    "sampler": ("sampler", "noise"),
    "guardian": (),
}
"""words of which one must stand in the reasons of a trial in which a process of that role was harmed"""
RUN_LIMIT_S = 3600.0


@dataclass(frozen=True)
class Attack:
    """What was done to which process, and in which trial."""

    trial: str
    role: str
    action: str
    at_ns: int

    def __str__(self) -> str:
        return f"{self.trial}: {self.action} {self.role}"


def attacks(harness: psutil.Process, trials: Path, chance: random.Random) -> Iterator[Attack]:
    """Attack each trial once, until the harness has ended."""
    attacked: set[str] = set()
    while harness.is_running() and harness.status() != psutil.STATUS_ZOMBIE:
        staged = [path for path in trials.glob(".partial-*") if path.name not in attacked]
        if not staged:
            time.sleep(0.02)
            continue
        attacked.add(staged[0].name)
        time.sleep(chance.uniform(0, WITHIN_S))
        if not staged[0].is_dir():
            continue
        roles = roles_of(harness)
        if not roles:
            continue
        role = chance.choice(sorted(roles))
        action = chance.choice(ACTIONS)
        at_ns = time.monotonic_ns()
        strike(chance.choice(roles[role]), action, chance.uniform(*STOPPED_S))
        yield Attack(staged[0].name, role, action, at_ns)


def roles_of(harness: psutil.Process) -> dict[str, list[psutil.Process]]:
    """Return the processes below the harness by their role; those below a worker are its children."""
    found: dict[str, list[psutil.Process]] = {}
    with contextlib.suppress(psutil.Error):
        for process in harness.children():
            command = " ".join(process.cmdline())
            role = next((role for role, word in ROLES.items() if word in command), "worker")
            found.setdefault(role, []).append(process)
            if role == "worker" and (children := process.children(recursive=True)):
                found.setdefault("child", []).extend(children)
    return found


def strike(process: psutil.Process, action: str, stopped_s: float) -> None:
    """Harm one process; it may be gone already."""
    with contextlib.suppress(psutil.Error):
        if action == "kill":
            process.kill()
        elif action == "end":
            process.terminate()
        else:
            process.suspend()
            time.sleep(stopped_s)
            process.resume()


def faults_of(trials: Path, done: list[Attack], said: str) -> tuple[list[str], Counter[str]]:
    """Return what was found to be wrong, and how many trials ended in which way."""
    faults, ended = [], Counter[str]()
    sealed = {path.name: path for path in trials.iterdir() if not path.name.startswith(".")}
    for name, path in sorted(sealed.items()):
        document, counted = recount(path)
        own = document["accounts"]
        told = (own["accepted"], own["finished"], own["failed"], own["in_service"], own["waiting"])
        rows = (counted.accepted, counted.finished, counted.failed, counted.running, counted.waiting)
        if told != rows or own["lost"] + own["unaccounted"] != counted.gone:
            faults.append(f"{name}: its accounts {own} are not those of its rows {counted}")
        if not document["reasons"] and counted.gone:
            faults.append(f"{name}: counts, and hides {counted.gone} lost tasks")
        ended["counts" if not document["reasons"] else "refused"] += 1
    for attack in done:
        name = next((name for name in sealed if name in attack.trial), "")
        if name:
            document = recount(sealed[name])[0]
            during = document["load"]["steps"][0]["from_ns"] < attack.at_ns < document["load"]["drained_ns"]
            words, counts = "; ".join(document["reasons"]), not document["reasons"]
        else:
            lost = [line for line in said.splitlines() if "could not be measured" in line]
            words = "\n".join(line for line in lost if line.split()[0] in attack.trial)
            during, counts = True, False
            ended["not measured"] += 1
        named = any(word in words for word in NAMED_BY[attack.role])
        if counts and during and attack.role not in ("guardian", "generator"):
            faults.append(f"{attack}: the trial counts all the same")
        elif not counts and not named and attack.role != "guardian" and during:
            faults.append(f"{attack}: not named in {words!r}")
    return faults, ended


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--trials", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    repeats = math.ceil(given.trials / len(SUBJECTS) / len(RATES))
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        runs, log = Path(folder) / "runs", Path(folder) / "log"
        asked = ["--name", NAME, *GRID, "--repeats", str(repeats), "--seed", str(given.seed)]
        asked += [word for subject in SUBJECTS for word in ("--strategy", subject)]
        asked += [word for rate in RATES for word in ("--rate", rate)]
        with campaign(asked, runs, log) as process:
            trials, done = runs / NAME / "trials", []
            for attack in attacks(psutil.Process(process.pid), trials, random.Random(given.seed)):
                print(attack, flush=True)
                done.append(attack)
            process.wait(RUN_LIMIT_S)
        said = log.read_text(errors="replace")
        faults, ended = faults_of(trials, done, said)
    show(done, ended, faults, said)
    return 1 if faults else 0


def show(done: list[Attack], ended: Counter[str], faults: list[str], said: str) -> None:
    made = Counter((attack.role, attack.action) for attack in done)
    print(f"\n{'':>10}" + "".join(f"{action:>8}" for action in ACTIONS))
    for role in NAMED_BY:
        print(f"{role:>10}" + "".join(f"{made[role, action]:>8}" for action in ACTIONS))
    print(f"trials: {', '.join(f'{number} {how}' for how, number in sorted(ended.items()))}")
    tracebacks = said.count("Traceback")
    print(f"tracebacks of the harness: {tracebacks} (to reach: 0)")
    print(f"losses hidden, accounts not of the rows, harm not named: {len(faults)} (to reach: 0)")
    for fault in faults:
        print(f"    {fault}")


if __name__ == "__main__":
    sys.exit(main())
