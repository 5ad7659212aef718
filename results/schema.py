"""The JSON documents of a campaign's folder: what they hold.

Times named `*_ns` are `CLOCK_MONOTONIC` nanoseconds of the host whose `boot_id` stands beside them;
`NEVER` stands for a moment that did not come.

History of the format:
    1  first format: manifest, trials, and the tables requests, bystanders, events and resources.
       Later, still readable both ways by this version: `holdings`, and `crc32` at a document's head;
       `anyio_tokens` of a manifest; who measured beside a trial (`noise.company`); `survivors`; `lost` in the
       accounts, which are sums of fates since then. Published drills that had other accounts were told again
       from their rows.
    2  checksums stand in `SHA256SUMS` instead of within the documents; of its target's identity a trial
       repeats nothing that the manifest says; campaigns may be packed (`results.packed`); no interviews.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from results.bounds import (
    LEAST,
    SHORTEST_POLL_S,
    Arrivals,
    Count,
    Figure,
    FileName,
    Kind,
    Milliseconds,
    Name,
    Nanoseconds,
    Number,
    Rate,
    Seconds,
    Several,
    check_least,
)
from results.terms import LONGEST_MS, Fate

SCHEMA: Final = 2
SEALED_BESIDE: Final = 2
"""the format since which checksums stand in files of their own"""


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the JSON documents: immutable, and strict about what it reads."""


class Versioned(Document, frozen=True, kw_only=True):
    """A document that is a file, and says of which format it is."""

    schema: int = SCHEMA


class Service(Document, frozen=True, kw_only=True):
    """How a strategy serves tasks of one kind: all that its ceiling depends on."""

    law: Literal["await", "loop", "pool", "poll"]
    """`await` (coroutines, no limit), `loop` (one at a time on the event loop), `pool` (threads or
    processes) or `poll` (claimed at the ticks of a poll)"""
    slots: Several
    """tasks that can be in service at once; 0 where nothing limits it"""
    processes: Number = 1
    """processes that run tasks: pure-Python CPU work cannot use more cores than that"""
    poll_s: Seconds = 0.0
    """`poll`: time between two looks at the queue; 0: none, it is a `pool`"""
    read_limit: Several = 0
    """`poll`: the most tasks claimed at one look; 0: no limit"""
    shares: list[Name] = []
    """which of the streams `accept`, `ping` and `ping_sync` wait in the same queue as the tasks; `accept`
    under the law `await`: the reply itself waits until the task has ended"""

    def __post_init__(self) -> None:
        check_least(SHORTEST_POLL_S, poll_s=self.poll_s)


class Subject(Document, frozen=True, kw_only=True):
    """A strategy in one variant: what was measured, as it declared itself."""

    strategy: Name
    variant: Name
    summary: str
    services: dict[Name, Service]
    """by kind of task"""
    max_attempts: Number = 1
    """runs that a failing task gets in all"""
    queues: list[str] = []
    """broker keys in which tasks wait; empty where the strategy has no broker"""
    workers: Several = 0
    """worker processes started beside the web process"""
    window_s: Seconds = 0.0
    """longest time for which the broker hides a task whose worker died; 0: it hides none"""
    supervised: bool = False
    """its workers are restarted when they exit, as part of the strategy"""
    settings: dict[str, Any] = {}

    @property
    def key(self) -> str:
        """`strategy/variant`, unique in a campaign."""
        return f"{self.strategy}/{self.variant}"


class Step(Document, frozen=True, kw_only=True):
    """A stretch of a schedule with one arrival rate and one task duration."""

    rate_per_s: Arrivals
    duration_ms: Milliseconds
    from_ns: Nanoseconds
    measure_from_ns: Nanoseconds
    """the warm-up's end: rows due before it are not measured"""
    to_ns: Nanoseconds

    def __post_init__(self) -> None:
        if not self.from_ns <= min(self.measure_from_ns, self.to_ns):
            raise ValueError("a step ends before it begins")
        check_least(LEAST, duration_ms=self.duration_ms)


class Load(Versioned, frozen=True, kw_only=True):
    """What the generator did and how well it kept to its schedule (`load.json`)."""

    scenario: Name
    closed: bool = False
    """True for a closed loop: rows have no schedule, so due is sent and coordinated omission is in them"""
    kind: Kind
    seed: Count
    arrivals: str
    """`poisson` or `constant`"""
    bystander_per_s: Rate
    """rate of each bystander stream"""
    boot_id: str
    timer: str
    """`timerfd`, or `sleep` where there is none"""
    identity: dict[str, Any]
    """the target's `/health` before the load; of a sealed trial, what the manifest does not say of it"""
    steps: list[Step]
    drained_ns: Nanoseconds
    """when the last answer came, or the drain's limit"""
    scheduled: Count
    accepted: Count
    rejected: Count
    refused: Count
    unknown: Count
    shed: Count
    achieved_ratio: Figure
    """requests sent within the schedule over requests due in it"""
    slip_p50_ms: Figure
    slip_p99_ms: Figure
    slip_p999_ms: Figure
    cpu_cores: Figure
    """the generator's own CPU use during the schedule"""
    in_flight_max: Count
    interrupted: bool = False
    reasons: list[str] = []
    """why the gate refused the trial; empty when it passed"""


class Plan(Document, frozen=True, kw_only=True):
    """One trial as planned."""

    trial_id: FileName
    subject: Name
    """key of the Subject"""
    kind: Kind
    duration_ms: Milliseconds
    scenario: FileName
    rate_per_s: Arrivals
    seconds: Seconds
    seed: Count
    repeat: Several = 0
    topology: FileName = "one-box"
    bystander_per_s: Rate = 20.0
    """rate of each bystander stream"""
    options: list[str] = []
    """further arguments of the scenario"""
    drill: Name = ""
    """what is broken on purpose; empty for a measurement"""

    def __post_init__(self) -> None:
        check_least(LEAST, duration_ms=self.duration_ms)


class Point(Document, frozen=True, kw_only=True):
    """One point of a search: where this subject blocks, and where its work falls behind."""

    subject: Name
    """key of the Subject"""
    kind: Kind
    duration_ms: Milliseconds
    topology: FileName = "one-box"
    saturation_per_s: Rate | None = None
    """predicted by theory, None where it has no limit or was not asked"""
    blocking_per_s: Rate | None = None
    """predicted, 0 where it blocks at any rate; None where it blocks at none, no law is known or it was not
    asked: `analysis.queueing.expected` tells these apart"""
    lowest_per_s: Rate
    """below this a trial has too few arrivals to say anything"""
    highest_per_s: Rate
    seconds: Seconds
    """length of a trial where its duration and rate ask for no more"""
    max_seconds: Seconds
    bystander_per_s: Rate

    def __post_init__(self) -> None:
        rates = {"lowest_per_s": self.lowest_per_s, "highest_per_s": self.highest_per_s}
        check_least(LEAST, duration_ms=self.duration_ms, **rates)

    def covers(self, plan: Plan) -> bool:
        """Say whether a planned trial is one at this point."""
        return (plan.scenario, plan.subject, plan.kind, plan.duration_ms, plan.topology) == (
            "steady",
            self.subject,
            self.kind,
            self.duration_ms,
            self.topology,
        )


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


class Trial(Versioned, frozen=True, kw_only=True):
    """One measured run (`trial.json`)."""

    plan: Plan
    attempt: Number = 1
    started_at: str
    """UTC, ISO 8601"""
    boot_id: str
    """of the target's host"""
    ceiling_per_s: Annotated[float, msgspec.Meta(ge=LEAST, le=1e12)] | None
    """the predicted saturation rate; None where theory has no limit"""
    drained: bool
    """the backlog was gone before the drain's limit"""
    drained_ns: Nanoseconds
    stopped_early: str = ""
    """why the load was ended before its schedule; empty where it was not"""
    foreign_cores: Figure | None = None
    """of trials without `noise`, which were measured before there was one"""
    noise: Noise | None = None
    service: Service | None = None
    """of the plan's kind, under its topology; None in old trials: the manifest's is that of `one-box`"""
    load: Load
    accounts: Accounts
    survivors: list[Count] = []
    """ids of the target's processes that lived when the trial ended: what runs in another never ends; those
    of a drill stand in its incident"""
    incident: Incident | None = None
    """of a drill"""
    rows: dict[Name, Count]
    checksums: dict[Name, Count] = {}
    """of format 1: CRC-32 of each table's file"""
    reasons: list[str] = []
    """why the trial does not count; empty when it is valid"""

    def __post_init__(self) -> None:
        if not self.load.steps:
            raise ValueError("its load has no step")
        if (self.plan.kind, self.plan.scenario) != (self.load.kind, self.load.scenario):
            raise ValueError("its load is not the planned one")

    @property
    def valid(self) -> bool:
        """Whether the gate let the trial count."""
        return not self.reasons


class Manifest(Versioned, frozen=True, kw_only=True):
    """The conditions of a campaign (`manifest.json`), written before its first trial."""

    campaign: str
    created_at: str
    command: list[str]
    profile: str
    seed: Count
    topology: list[FileName]
    slots: Several = 40
    """tasks in service at once in the `tuned` variants"""
    anyio_tokens: Several = 40
    """threads that a web process has for its `def` endpoints and `def` background tasks"""
    loop: str
    http: str
    subjects: list[Subject]
    plans: list[Plan]
    """planned before the first trial; empty for a search, whose trials follow from each other"""
    points: list[Point] = []
    """what a search looks for"""
    limit_ms: Annotated[float, msgspec.Meta(ge=LEAST, le=LONGEST_MS)] = 100.0
    """a stream of requests is blocked where its p99 is above this"""
    precision: Annotated[float, msgspec.Meta(gt=1, le=1000)] = 1.1
    """the width of an interval, failed rate over held rate, at which a search is content"""
    jobs: Number = msgspec.field(default=1, name="lanes")
    """trials that ran beside each other: above 1 only counts can be trusted, no latency"""
    calibration: dict[Name, Figure]
    """work units per millisecond of each computing kind"""
    pinning: dict[str, Any]
    """cores and niceness of each role; empty lists where the platform cannot pin"""
    environment: dict[str, Any]
    """host, versions and settings: for people and for refusing to compare the unlike"""

    def subject(self, key: str) -> Subject:
        """Return the subject with that key; raises KeyError."""
        return {s.key: s for s in self.subjects}[key]
