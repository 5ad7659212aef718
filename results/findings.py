"""What a trial says besides its load: the accounts of its tasks, the noise about it, what a drill broke."""

from typing import Annotated

import msgspec

from results.base import Count, Document, Figure, Name, Nanoseconds, Seconds
from results.columns import FARTHEST_NS
from results.terms import Fate


class Accounts(Document, frozen=True, kw_only=True):
    """What became of every accepted task: its fate, told from the client's, ledger's and broker's records.

    accepted = finished + failed + in_service + waiting + lost + unaccounted, always.
    """

    accepted: Count
    """tasks that the client saw accepted (for a fan-out: all parts of the request)"""
    finished: Count
    """finished at least once"""
    failed: Count
    """ended by an exception for good, and never finished"""
    in_service: Count
    """left when the trial ended, running in a process that lived"""
    waiting: Count
    """left when the trial ended, not running: still in the broker, or in a living web process's memory"""
    lost: Count = 0
    """gone, by a drill's fault; without a fault to explain it, a task that is gone is unaccounted"""
    unaccounted: Count
    """accepted, yet none of the above, or their records contradict each other"""
    started_twice: Count
    """finished once, and started again though no run of them had failed"""
    finished_twice: Count
    """finished more than once"""
    ran_unaccepted: Count
    """ran though the client did not see them accepted"""
    strangers: Count
    """events of tasks that this trial never sent"""


class Noise(Document, frozen=True, kw_only=True):
    """What else went on on the machine: before the load, while nothing of ours ran, and during it."""

    quiet: bool | None = None
    """others had left the machine alone when the load began; None where nobody looked"""
    waited_s: Seconds = 0.0
    """time spent looking before the load"""
    hiccup_p99_ms: Figure | None = None
    """before the load: how late a thread woke that only sleeps, on the worst of the cores used"""
    hiccup_max_ms: Figure | None = None
    foreign_cores: Figure | None = None
    """mean number of cores that other programs used while it was measured; None where none was seen"""
    steal_cores: Figure | None = None
    """mean number of cores that the hypervisor gave to other machines meanwhile"""
    company: list[str] = []
    """other campaigns of the same user that measured on this machine meanwhile"""


class TargetHost(Document, frozen=True, kw_only=True):
    """The host of a target that an agent started, and how its clock was read."""

    host: Name
    boot_id: str
    offset_ns: Annotated[int, msgspec.Meta(ge=-FARTHEST_NS, le=FARTHEST_NS)] = 0
    """its clock less that of the trial, before the load; exactly 0 where they are one"""
    uncertainty_ns: Count = 0
    """by how much its times, translated, may be wrong"""
    drift_ppm: Figure = 0.0
    """how much faster its clock ran, in millionths"""
    joined: bool = True
    """False where its ledger never came, or its clock is not known: only the client's side is kept"""


class Incident(Document, frozen=True, kw_only=True):
    """What a drill broke, when, and what became of every task.

    The fates add up to what was scheduled, always.
    """

    summary: str
    """what was done, in words: `SIGKILL to the web process`"""
    trigger: str
    """the state of the ledger that set it off, in words; empty where the fault lasts for the whole trial"""
    accepted: Count
    """tasks accepted by the target when it was set off"""
    started: Count
    ended: Count
    """finished, or failed for good"""
    from_ns: Nanoseconds
    """when the fault began"""
    to_ns: Nanoseconds
    """when what was broken had been put right: a restarted process answered, a stopped one went on"""
    struck: list[Count] = []
    """ids of the processes that were signalled"""
    exited: list[str] = []
    """roles of processes that exited by themselves or no longer did anything; restarted by hand at rest"""
    deaths: Count = 0
    """processes that a task killed"""
    at_rest_ns: Nanoseconds
    """when nothing moved any more"""
    horizon_ns: Nanoseconds
    """when the last look was taken"""
    survivors: list[Count] = []
    """ids of the target's processes that still lived then: what runs in another never ends"""
    window_s: Seconds
    """for how long the broker hid tasks in this drill, by its settings"""
    default_window_s: Seconds
    """the same with the variant's own settings"""
    hastened: bool = False
    """workers were restarted once the window had passed: theirs look for abandoned tasks only at their start
    and then seldom"""
    hidden: Count = 0
    """accepted tasks that waited for the window to pass, whatever became of them then"""
    hidden_until_s: Figure | None = None
    """from the fault to the latest start of a hidden task"""
    fates: dict[Name, Count]
    """tasks by `Fate.label`, every fate named"""

    def __post_init__(self) -> None:
        if not self.fates.keys() <= {fate.label for fate in Fate}:
            raise ValueError("it names a fate that there is not")
