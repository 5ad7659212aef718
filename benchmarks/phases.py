"""In which phase of a run the harness is ended, and by which signals."""

import contextlib
import itertools
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from results.errors import BlockpointError
from results.store import open_campaign

ENDINGS = {
    "SIGINT": (signal.SIGINT,),
    "SIGINT twice": (signal.SIGINT, signal.SIGINT),
    "SIGTERM": (signal.SIGTERM,),
    "SIGTERM, SIGKILL": (signal.SIGTERM, signal.SIGKILL),
    "SIGKILL": (signal.SIGKILL,),
}
PHASES = {
    "start-up": 2.0,
    "target start": 1.2,
    "load": 1.2,
    "drain": 0.4,
    "sealing": 0.03,
    "target stop": 0.5,
}
"""the longest time after a phase's begin at which the signal is sent, s"""


@dataclass(frozen=True)
class Kill:
    """When and how a run is to be ended."""

    ending: str
    """one of `ENDINGS`"""
    phase: str
    after_s: float
    between_s: float
    """time between two signals"""

    def send(self, process: "subprocess.Popen[bytes]") -> None:
        """Send its signals, the second one only where the first has not ended the process."""
        for turn, number in enumerate(ENDINGS[self.ending]):
            if turn:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(self.between_s)
            process.send_signal(number)

    def __str__(self) -> str:
        return f"{self.ending} in {self.phase}"


@dataclass
class Run:
    """One process of the harness on a campaign, and how far it has come."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    log: Path
    since_ns: int = field(default_factory=time.time_ns)
    """wall clock, as the file system's"""

    def in_phase(self, phase: str) -> bool:
        """Say whether a phase has begun in this run."""
        trials = self.folder / "trials"
        if phase == "target start":
            return self._fresh((self.folder / "logs").glob("*"))
        if phase == "load":
            return self._fresh(trials.glob(".partial*/resources.jsonl"))
        if phase == "drain":
            return self._fresh(trials.glob(".partial*/load.json"))
        if phase == "sealing":
            return self._fresh(trials.glob(".partial*/events.parquet"))
        if phase == "target stop":
            return self._fresh(trials / name / "trial.json" for name in self._last_of_blocks())
        return True

    def _fresh(self, paths: Iterator[Path]) -> bool:
        for path in paths:
            with contextlib.suppress(OSError):
                if path.stat().st_mtime_ns >= self.since_ns:
                    return True
        return False

    def _last_of_blocks(self) -> list[str]:
        """Return the trials after which a target is taken down."""
        with contextlib.suppress(BlockpointError):
            plans = open_campaign(self.folder).manifest.plans
            blocks = itertools.groupby(plans, key=lambda plan: (plan.subject, plan.topology, plan.repeat))
            return [list(block)[-1].trial_id for _, block in blocks]
        return []
