"""The drills of a service of somebody's own: what of it can be broken, and how one is carried out."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from harness.drills import faults
from harness.drills.catalogue import Drill, Trigger
from harness.drills.fault_log import state
from harness.drills.trial import Drilling, DrillProcedure
from harness.service.follower import round_s
from harness.service.service import Service, argv
from harness.service.target import ServiceTarget
from harness.target import brokers
from harness.target.ledgers import LedgerReader
from harness.target.target import Launch, Target
from results.errors import BlockpointError
from results.schema import Plan, Subject, Trial

TRIGGER = Trigger(ended=5, under_way=1)
LONGEST_WORDS = 60
HANGS_FOR_S = 8.0
"""the load that a server hangs under is no shorter"""


def drills_of(service: Service) -> Mapping[str, Drill]:
    """Return what can be broken of a service, by name.

    Raises BlockpointError for a service that we do not start, and for one whose tasks nobody sees end.
    """
    if not service.started:
        raise BlockpointError(
            f"{service.name} runs at {service.declared.url}: only what a command starts here can be broken"
        )
    if service.completions.source == "none":
        raise BlockpointError(
            "[completions]: a drill has to see which tasks end: name a source, poll, webhook or observe"
        )
    return {drill.name: drill for drill in (*_of_web(service), *_of_workers(service), *_of_server(service))}


def _of_web(service: Service) -> Iterator[Drill]:
    words = _named(argv(service.declared.command))
    yield _drill(service, "kill-web", _killed(words), faults.kill_web)
    yield _drill(service, "stop-web", _stopped(words), faults.stop_web)


def _of_workers(service: Service) -> Iterator[Drill]:
    """Yield two drills for each worker; where there are several, their numbers stand in the names."""
    for index, command in enumerate(service.workers):
        number = f"-{index + 1}" if len(service.workers) > 1 else ""
        words = _named(command)
        yield _drill(service, f"kill-worker{number}", _killed(words), faults.kill_one_worker(index))
        yield _drill(service, f"stop-worker{number}", _stopped(words), faults.stop_one_worker(index))


def _of_server(service: Service) -> Iterator[Drill]:
    server = service.declared.server
    if not server:
        return
    killed = f"SIGKILL to the {server} server"
    kept = ", which keeps nothing on disk" if server == brokers.REDIS else ""
    yield _drill(service, "kill-broker", f"{killed}{kept}, started again at once", faults.kill_broker)
    if server == brokers.REDIS:
        appending = f"{killed}, which keeps an append-only file, started again at once"
        yield replace(_drill(service, "kill-broker-aof", appending, faults.kill_broker), appendonly=True)
    hung = f"SIGSTOP to the {server} server, SIGCONT {faults.HANG_S:g} s later"
    drill = _drill(service, "hang-broker", hung, faults.hang_broker)
    yield replace(drill, seconds=max(drill.seconds, HANGS_FOR_S))


def _drill(service: Service, name: str, summary: str, fault: faults.Fault) -> Drill:
    told = service.drill
    return Drill(
        name=name,
        summary=summary,
        concerns=_anybody,
        fault=fault,
        trigger=TRIGGER,
        rate_per_s=told.rate,
        seconds=told.seconds,
        duration_ms=0.0,
        settle_s=told.settle,
        settings={},
    )


def _anybody(_: Subject) -> bool:
    return True


def _named(command: list[str]) -> str:
    words = " ".join([Path(command[0]).name, *command[1:]])
    return f"`{words if len(words) <= LONGEST_WORDS else words[:LONGEST_WORDS] + '…'}`"


def _killed(words: str) -> str:
    return f"SIGKILL to {words} and all that it started, started again at once"


def _stopped(words: str) -> str:
    return f"SIGTERM to {words} (a deploy), started again once it has exited"


@dataclass(frozen=True)
class ServiceDrilling(Drilling):
    """One drill of a service: what a task takes is known from the first one, where it waits is not."""

    longer: ClassVar[str] = "; let it last longer: [drill] seconds"

    def quiet_s(self, reader: LedgerReader) -> float:
        """Return the time without any end after which none is expected: each task was looked at meanwhile."""
        assert isinstance(self.target, ServiceTarget)
        rounds_s = round_s(self.target.service.completions, len(state(reader).pending))
        return self.target.first_task_s + self.drill.settle_s + rounds_s

    @property
    def in_process(self) -> bool:
        """Whether tasks wait nowhere but in the web process: nobody knows where something runs beside it."""
        return not (self.target.workers or self.target.server)

    @property
    def drains(self) -> bool:
        """Whether it is stopped once more for what it may hold: no, that would be another drill."""
        return False


@dataclass(frozen=True)
class ServiceDrillProcedure(DrillProcedure):
    """The procedure of a campaign of a service's drills, each of which has a service of its own."""

    repeats_together: ClassVar[int] = 1
    drilling: ClassVar[type[Drilling]] = ServiceDrilling

    def carry_out(
        self, target: tuple[Launch, Target], plan: Plan, staged: Path, attempt: int, tick: Callable[[], None]
    ) -> tuple[Trial, bool]:
        """Run one drill; none follows on its processes, since an earlier task could come back there."""
        trial, _ = super().carry_out(target, plan, staged, attempt, tick)
        return trial, False
