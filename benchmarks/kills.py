"""Whether a campaign that is interrupted at any moment leaves nothing behind and loses nothing sealed.

    python -m benchmarks kills [--kills 50] [--seed 1] [--strategy arq/tuned ...]

A campaign of a few strategies, brokers among them, is begun and gone on with (`--resume`), and each time
SIGINT, SIGTERM or SIGKILL ends the harness in a phase and at a moment of it that a seed chose; the
impatient send a second signal while the first one's cleaning up is under way. A few seconds later no
process of it may live, no port of it be listened on, nothing lie in its temporary folder, and every trial
that was sealed be whole and unchanged. What was interrupted last is gone on with until it is complete.
Exits with 1 where anything was left, lost or not ended, or a run ended with a traceback.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.leftovers import Kin
from benchmarks.phases import ENDINGS, PHASES, Kill, Run
from benchmarks.processes import ROOT, campaign, parser
from results.errors import BlockpointError
from results.store import Campaign, open_campaign
from results.sums import sums
from results.waiting import wait_until

SUBJECTS = ("background_tasks/default", "celery/tuned", "arq/tuned", "threadpool/tuned")
GRID = ["--profile", "smoke", "--duration", "100ms", "--slots", "4", "--seconds", "1"]
RATES = ("20", "60")
"""a second, of which four slots can do 40: the second one leaves a backlog to drain"""
END_LIMIT_S = 60.0
"""for the harness to end once it was asked to"""
CLEAN_LIMIT_S = 30.0
"""for everything else to be gone then"""
RUN_LIMIT_S = 300.0
OWN_FRAME = f'File "{ROOT / "harness"}{os.sep}'
"""in a traceback of ours; one without it comes from Python's own start, where nobody can catch it"""
LOOK_EVERY_S = 0.25
POLL_S = 0.002


@dataclass
class Tally:
    """What was seen, over all kills."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    """by phase and ending"""
    codes: dict[str, Counter[int]] = field(default_factory=dict)
    """exit codes by ending, or by `by itself` where there was none"""
    faults: list[str] = field(default_factory=list)
    completed: int = 0
    read: int = 0
    """sealed trials read back, with every table"""
    clean_s: list[float] = field(default_factory=list)
    """from the harness's end until nothing was left"""
    tracebacks: list[str] = field(default_factory=list)
    """runs that ended with one, each in a line"""


class LineOfFire:
    """The campaigns under fire, one after the other, in a folder of their own."""

    def __init__(self, folder: Path, subjects: Sequence[str], say: Callable[[str], None]) -> None:
        self.tally = Tally()
        self._subjects = subjects
        self._say = say
        self._kin = Kin(folder / "runs", folder / "tmp")
        self._logs = folder / "logs"
        for made in (self._kin.runs, self._kin.temporary, self._logs):
            made.mkdir()
        self._campaigns = 1
        self._sealed: dict[str, str] = {}
        """checksum of each sealed trial's document of the campaign under way"""

    def fire(self, kill: Kill) -> None:
        """Go on until the kill was made: a campaign that is complete before that is followed by a new one."""
        while not self._run(kill):
            self._completed()

    def finish(self) -> None:
        """Go on with the campaign under way until it is complete."""
        self._run(None)
        self._completed()

    def _run(self, kill: Kill | None) -> bool:
        """Run the harness once; returns whether it was killed."""
        run = self._started()
        root = psutil.Process(run.process.pid)
        try:
            hit = self._await(run, root, kill) if kill else False
            if kill and hit:
                kill.send(run.process)
            run.process.wait(END_LIMIT_S if hit else RUN_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._fault(f"{run.log.name}: did not end after {kill or 'all its trials'}")
        finally:
            if run.process.poll() is None:
                run.process.kill()
                run.process.wait()
        self._note_end(run, kill if hit else None)
        self._check(f"{run.log.name}: {kill if hit else 'ended by itself'}")
        return hit

    def _started(self) -> Run:
        name = f"campaign-{self._campaigns}"
        folder = self._kin.runs / name
        whole = (folder / "manifest.json").is_file()
        how = ["--resume", name] if whole else ["--name", name, *GRID]
        if not whole:
            how += [word for subject in self._subjects for word in ("--strategy", subject)]
            how += [word for rate in RATES for word in ("--rate", rate)]
        log = self._logs / f"run-{len(list(self._logs.iterdir())) + 1}"
        temporary = str(self._kin.temporary)
        process = campaign(how, self._kin.runs, log, session=True, TMPDIR=temporary)
        return Run(folder, process, log)

    def _await(self, run: Run, root: psutil.Process, kill: Kill) -> bool:
        """Wait for the kill's moment, noting whom the harness starts; False where it ended before."""
        due_s = None
        look_s = 0.0
        limit_s = time.monotonic() + RUN_LIMIT_S
        while run.process.poll() is None:
            now_s = time.monotonic()
            if due_s is None and run.in_phase(kill.phase):
                due_s = now_s + kill.after_s
            if due_s is not None and now_s >= due_s:
                return True
            if now_s > limit_s:
                raise subprocess.TimeoutExpired(str(run.log), RUN_LIMIT_S)
            if now_s >= look_s:
                self._kin.look(root)
                look_s = time.monotonic() + LOOK_EVERY_S
            time.sleep(POLL_S)
        return False

    def _note_end(self, run: Run, kill: Kill | None) -> None:
        code = run.process.returncode
        self.tally.codes.setdefault(kill.ending if kill else "by itself", Counter())[code] += 1
        if kill:
            self.tally.kills[kill.phase, kill.ending] += 1
        text = run.log.read_text(errors="replace")
        if "Traceback" in text and OWN_FRAME in text:
            self.tally.tracebacks.append(f"{run.log.name}: {kill}: {text.strip().splitlines()[-1]}")
        if not kill and code not in (0, 1):
            self._fault(f"{run.log.name}: ended by itself with {code}: {text.strip().splitlines()[-1:]}")

    def _check(self, what: str) -> None:
        """Wait until nothing is left, then read every sealed trial."""
        since_s = time.monotonic()
        wait_until(lambda: not self._kin.left(), CLEAN_LIMIT_S, every_s=0.05)
        self.tally.clean_s.append(time.monotonic() - since_s)
        left = self._kin.left()
        for each in left:
            self._fault(f"{what}: left behind: {each}")
        sealed = self._read(what)
        self._say(f"{what}: {len(left)} left, {sealed} sealed, clean after {self.tally.clean_s[-1]:.1f} s")
        self._kin = Kin(self._kin.runs, self._kin.temporary)

    def _read(self, what: str) -> int:
        """Read every sealed trial of the campaign under way; returns how many there are."""
        folder = self._kin.runs / f"campaign-{self._campaigns}"
        if not (folder / "manifest.json").is_file():
            return 0
        try:
            campaign = open_campaign(folder)
            sealed = {campaign.folder_of(trial).name: trial for trial in campaign.trials()}
            for trial in sealed.values():
                for name in trial.rows:
                    campaign.table(trial, name)
        except BlockpointError as error:
            self._fault(f"{what}: cannot be read: {error}")
            return 0
        self.tally.read += len(sealed)
        marks = {name: sums(campaign.trials_folder / name)["trial.json"] for name in sealed}
        for name, mark in self._sealed.items():
            if marks.get(name) != mark:
                self._fault(f"{what}: the sealed trial {name} is gone or changed")
        self._sealed = marks
        return len(sealed)

    def _completed(self) -> None:
        """Count the campaign under way, all of whose trials must be sealed now; the next one is new."""
        folder = self._kin.runs / f"campaign-{self._campaigns}"
        try:
            unsealed = _unsealed(open_campaign(folder))
        except BlockpointError as error:
            self._fault(f"{folder.name}: ended by itself and cannot be read: {error}")
        else:
            self.tally.completed += not unsealed
            if unsealed:
                self._fault(f"{folder.name}: ended without {', '.join(unsealed)}")
        self._campaigns += 1
        self._sealed = {}

    def _fault(self, words: str) -> None:
        self.tally.faults.append(words)
        self._say(f"FAULT {words}")


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--kills", type=int, default=50, help="how often the harness is killed")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--strategy", action="append", metavar="NAME/VARIANT", help="instead of the usual")
    given = options.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    began_s = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began_s:6.0f} s  {line}", flush=True)

    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        line_of_fire = LineOfFire(Path(folder), given.strategy or SUBJECTS, say)
        for kill in kills(given.kills, given.seed):
            line_of_fire.fire(kill)
        line_of_fire.finish()
    show(line_of_fire.tally)
    return 1 if line_of_fire.tally.faults or line_of_fire.tally.tracebacks else 0


def kills(count: int, seed: int) -> Iterator[Kill]:
    """Yield the kills: every phase equally often, signals and moments by chance."""
    chance = random.Random(seed)
    phases: list[str] = []
    for _ in range(count):
        phases = phases or chance.sample(list(PHASES), len(PHASES))
        phase = phases.pop()
        ending = chance.choice(list(ENDINGS))
        yield Kill(ending, phase, chance.uniform(0, PHASES[phase]), chance.uniform(0.01, 0.8))


def show(tally: Tally) -> None:
    columns = {name: max(len(name), 8) for name in ENDINGS}
    print(f"\n{'killed in':>14}  " + "  ".join(f"{name:>{width}}" for name, width in columns.items()))
    for phase in PHASES:
        row = (f"{tally.kills[phase, name]:>{width}}" for name, width in columns.items())
        print(f"{phase:>14}  " + "  ".join(row))
    sums = (f"{sum(tally.kills[p, name] for p in PHASES):>{width}}" for name, width in columns.items())
    print(f"{'in all':>14}  " + "  ".join(sums))
    for ending, codes in sorted(tally.codes.items()):
        seen = ", ".join(f"{code} ({times}x)" for code, times in sorted(codes.items()))
        print(f"exit codes, {ending}: {seen}")
    print(
        f"campaigns completed: {tally.completed}; sealed trials read back: {tally.read}; "
        f"everything gone after {max(tally.clean_s, default=0):.1f} s at most"
    )
    for what, found in (
        ("tracebacks", tally.tracebacks),
        ("left behind, lost or not ended", tally.faults),
    ):
        print(f"{what}: {len(found)} (to reach: 0)")
        for each in found:
            print(f"    {each}")


def _unsealed(campaign: Campaign) -> list[str]:
    sealed = {trial.plan.trial_id for trial in campaign.trials()}
    return [plan.trial_id for plan in campaign.manifest.plans if plan.trial_id not in sealed]


if __name__ == "__main__":
    sys.exit(main())
