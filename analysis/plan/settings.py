"""A setting: how many processes and slots; and what could be set, from the smallest on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from analysis.plan.lines import Law, WaitingLine
from analysis.plan.measures import Measure
from results.terms import KINDS

LADDER: Final = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80),
    *(100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000),
)
"""as people set them: from 3 on, the next is at most a third more"""
MOST_PROCESSES: Final = 64


@dataclass(frozen=True)
class Setting:
    """What a target consists of."""

    web_processes: int
    worker_copies: int
    """of the worker processes that the strategy starts; 0 where the tasks run in the web process"""
    slots_each: int
    """tasks that a web process, or a copy of the worker, runs at once; 0: nothing limits them"""

    @property
    def slots(self) -> int:
        """Tasks that all of it runs at once."""
        return self.slots_each * (self.worker_copies or self.web_processes)

    def line(self, measure: Measure) -> WaitingLine:
        """Return the queue in which the tasks wait: one for all workers, one in each web process.

        A polling worker claims what it finds at its own ticks, so that each of several is its own queue.
        """
        service = measure.service
        law: Law = "loop" if service.law == "await" and not KINDS[measure.kind].held else service.law
        apart = law == "poll" or not self.worker_copies
        queues = (self.worker_copies or self.web_processes) if apart else 1
        servers = 0 if law == "await" else self.slots // queues
        return WaitingLine(law, servers, queues, service.poll_s, service.read_limit, tuple(service.shares))


def settings(measure: Measure, web_processes: int, worker_copies: int) -> Iterator[Setting]:
    """Yield what could be set, ever more of it; so many processes are needed whatever the slots."""
    own = measure.service.slots // measure.web_processes if not measure.workers else measure.service.slots
    if not own:
        yield Setting(web_processes, 0, 0)
        return
    copies = max(worker_copies if measure.workers else web_processes, 1)
    numbers = LADDER if measure.adjustable else [n for n in LADDER if copies <= n <= MOST_PROCESSES]
    for number in numbers:
        many, each = (copies, number) if measure.adjustable else (number, own)
        yield Setting(web_processes, many, each) if measure.workers else Setting(many, 0, each)


def next_smaller(measure: Measure, setting: Setting) -> Setting | None:
    """Return the setting one step below, with as many processes where slots are what is set."""
    if measure.adjustable:
        below = [n for n in LADDER if n < setting.slots_each]
        return Setting(setting.web_processes, setting.worker_copies, below[-1]) if below else None
    copies = setting.worker_copies or setting.web_processes
    below = [n for n in LADDER if n < copies]
    if not below or not setting.slots_each:
        return None
    if setting.worker_copies:
        return Setting(setting.web_processes, below[-1], setting.slots_each)
    return Setting(below[-1], 0, setting.slots_each)
