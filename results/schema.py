"""The JSON documents of a campaign's folder: what they hold.

Times named `*_ns` are `CLOCK_MONOTONIC` nanoseconds of the host whose `boot_id` stands beside them;
`NEVER` stands for a moment that did not come.

History of the format:
    1  first format: manifest, trials, and the tables requests, bystanders, events and resources.
       Later, still readable both ways by this version: `holdings`, and `crc32` at a document's head.
"""

from typing import Annotated, Any, Final

import msgspec

SCHEMA: Final = 1
Nanoseconds = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the JSON documents: immutable, and strict about what it reads."""


class Service(Document, frozen=True, kw_only=True):
    """How a strategy serves tasks of one kind: all that its ceiling depends on."""

    law: str
    """`await` (coroutines, no limit), `loop` (one at a time on the event loop), `pool` (threads or
    processes) or `poll` (claimed at the ticks of a poll)"""
    slots: int
    """tasks that can be in service at once; 0 where nothing limits it"""
    processes: int = 1
    """processes that run tasks: pure-Python CPU work cannot use more cores than that"""
    poll_s: float = 0.0
    """`poll`: time between two looks at the queue"""
    read_limit: int = 0
    """`poll`: the most tasks claimed at one look"""
    shares: list[str] = []
    """which of the streams `accept`, `ping` and `ping_sync` wait in the same queue as the tasks; `accept`
    under the law `await`: the reply itself waits until the task has ended"""


class Subject(Document, frozen=True, kw_only=True):
    """A strategy in one variant: what was measured, as it declared itself."""

    strategy: str
    variant: str
    summary: str
    services: dict[str, Service]
    """by kind of task"""
    max_attempts: int = 1
    """runs that a failing task gets in all"""
    queues: list[str] = []
    """broker keys in which tasks wait; empty where the strategy has no broker"""
    workers: int = 0
    """worker processes started beside the web process"""
    window_s: float = 0.0
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

    rate_per_s: float
    duration_ms: float
    from_ns: Nanoseconds
    measure_from_ns: Nanoseconds
    """the warm-up's end: rows due before it are not measured"""
    to_ns: Nanoseconds


class Load(Document, frozen=True, kw_only=True):
    """What the generator did and how well it kept to its schedule (`load.json`)."""

    schema: int = SCHEMA
    scenario: str
    closed: bool = False
    """True for a closed loop: rows have no schedule, so due is sent and coordinated omission is in them"""
    kind: str
    seed: int
    arrivals: str
    """`poisson` or `constant`"""
    bystander_per_s: float
    """rate of each bystander stream"""
    boot_id: str
    timer: str
    """`timerfd`, or `sleep` where there is none"""
    identity: dict[str, Any]
    """the target's `/health` before the load"""
    steps: list[Step]
    drained_ns: Nanoseconds
    """when the last answer came, or the drain's limit"""
    scheduled: int
    accepted: int
    rejected: int
    refused: int
    unknown: int
    shed: int
    achieved_ratio: float
    """requests sent within the schedule over requests due in it"""
    slip_p50_ms: float
    slip_p99_ms: float
    slip_p999_ms: float
    cpu_cores: float
    """the generator's own CPU use during the schedule"""
    in_flight_max: int
    interrupted: bool = False
    reasons: list[str] = []
    """why the gate refused the trial; empty when it passed"""


class Plan(Document, frozen=True, kw_only=True):
    """One trial as planned."""

    trial_id: str
    subject: str
    """key of the Subject"""
    kind: str
    duration_ms: float
    scenario: str
    rate_per_s: float
    seconds: float
    seed: int
    repeat: int = 0
    topology: str = "one-box"
    bystander_per_s: float = 20.0
    """rate of each bystander stream"""
    options: list[str] = []
    """further arguments of the scenario"""
    drill: str = ""
    """what is broken on purpose; empty for a measurement"""


class Point(Document, frozen=True, kw_only=True):
    """One point of a search: where this subject blocks, and where its work falls behind."""

    subject: str
    """key of the Subject"""
    kind: str
    duration_ms: float
    topology: str = "one-box"
    saturation_per_s: float | None = None
    """predicted by theory, None where it has no limit or was not asked"""
    blocking_per_s: float | None = None
    """predicted, 0 where it blocks at any rate; None where it blocks at none, no law is known or it was not
    asked: `analysis.queueing.expected` tells these apart"""
    lowest_per_s: float
    """below this a trial has too few arrivals to say anything"""
    highest_per_s: float
    seconds: float
    """length of a trial where its duration and rate ask for no more"""
    max_seconds: float
    bystander_per_s: float

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
    """What became of every accepted task, counted from the client's, executors' and broker's records.

    accepted = finished + failed + in_service + waiting + unaccounted, always.
    """

    accepted: int
    """tasks that the client saw accepted (for a fan-out: all parts of the request)"""
    finished: int
    """finished at least once"""
    failed: int
    """ended by an exception for good, and never finished"""
    in_service: int
    """had started when the drain's limit came"""
    waiting: int
    """had not started when the drain's limit came: still in the broker, or in the web process's memory"""
    unaccounted: int
    """accepted, yet none of the above"""
    started_twice: int
    """first attempts that were started more than once; retries of a failed attempt do not count"""
    finished_twice: int
    ran_unaccepted: int
    """ran though the client did not see them accepted"""
    strangers: int
    """events of tasks that this trial never sent"""


class Noise(Document, frozen=True, kw_only=True):
    """What else went on on the machine: before the load, while nothing of ours ran, and during it."""

    quiet: bool | None = None
    """others had left the machine alone when the load began; None where nobody looked"""
    waited_s: float = 0.0
    """time spent looking before the load"""
    hiccup_p99_ms: float | None = None
    """before the load: how late a thread woke that only sleeps, on the worst of the cores used"""
    hiccup_max_ms: float | None = None
    foreign_cores: float | None = None
    """mean number of cores that other programs used while it was measured; None where none was seen"""
    steal_cores: float | None = None
    """mean number of cores that the hypervisor gave to other machines meanwhile"""


class Incident(Document, frozen=True, kw_only=True):
    """What a drill broke, when, and what became of every task.

    The fates add up to what was scheduled, always.
    """

    summary: str
    """what was done, in words: `SIGKILL to the web process`"""
    trigger: str
    """the state of the ledger that set it off, in words; empty where the fault lasts for the whole trial"""
    accepted: int
    """tasks accepted by the target when it was set off"""
    started: int
    ended: int
    """finished, or failed for good"""
    from_ns: Nanoseconds
    """when the fault began"""
    to_ns: Nanoseconds
    """when what was broken had been put right: a restarted process answered, a stopped one went on"""
    struck: list[int] = []
    """ids of the processes that were signalled"""
    exited: list[str] = []
    """roles of processes that exited by themselves or no longer did anything; restarted by hand at rest"""
    deaths: int = 0
    """processes that a task killed"""
    at_rest_ns: Nanoseconds
    """when nothing moved any more"""
    horizon_ns: Nanoseconds
    """when the last look was taken"""
    survivors: list[int] = []
    """ids of the target's processes that still lived then: what runs in another never ends"""
    window_s: float
    """for how long the broker hid tasks in this drill, by its settings"""
    default_window_s: float
    """the same with the variant's own settings"""
    hastened: bool = False
    """workers were restarted once the window had passed: theirs look for abandoned tasks only at their start
    and then seldom"""
    hidden: int = 0
    """accepted tasks that waited for the window to pass, whatever became of them then"""
    hidden_until_s: float | None = None
    """from the fault to the latest start of a hidden task"""
    fates: dict[str, int]
    """tasks by `Fate.label`, every fate named"""


class View(Document, frozen=True, kw_only=True):
    """One question of an operator, put to a strategy's own interface in a known situation."""

    question: str
    """such as `state of a running task`"""
    interface: str
    """what was asked: `AsyncResult.state`, `inspect active`, ...; empty where the strategy has none"""
    answer: str
    """what it said, in its own words; empty where it said nothing"""
    truth: str
    """what the ledger and the processes say"""
    verdict: str
    """`right`, `wrong` or `none`"""
    took_ms: float


class Interview(Document, frozen=True, kw_only=True):
    """What a strategy lets an operator see (`interviews/STRATEGY-VARIANT.json` of a drill's campaign)."""

    schema: int = SCHEMA
    subject: str
    """key of the Subject"""
    views: list[View]


class Trial(Document, frozen=True, kw_only=True):
    """One measured run (`trial.json`)."""

    schema: int = SCHEMA
    plan: Plan
    attempt: int = 1
    started_at: str
    """UTC, ISO 8601"""
    boot_id: str
    """of the target's host"""
    ceiling_per_s: Annotated[float, msgspec.Meta(gt=0)] | None
    """the predicted saturation rate; None where theory has no limit"""
    drained: bool
    """the backlog was gone before the drain's limit"""
    drained_ns: Nanoseconds
    stopped_early: str = ""
    """why the load was ended before its schedule; empty where it was not"""
    foreign_cores: float | None = None
    """of trials without `noise`, which were measured before there was one"""
    noise: Noise | None = None
    service: Service | None = None
    """of the plan's kind, under its topology; None in old trials: the manifest's is that of `one-box`"""
    load: Load
    accounts: Accounts
    incident: Incident | None = None
    """of a drill"""
    rows: dict[str, int]
    checksums: dict[str, int] = {}
    """CRC-32 of each table's file, entered by the seal"""
    reasons: list[str] = []
    """why the trial does not count; empty when it is valid"""

    @property
    def valid(self) -> bool:
        """Whether the gate let the trial count."""
        return not self.reasons


class Manifest(Document, frozen=True, kw_only=True):
    """The conditions of a campaign (`manifest.json`), written before its first trial."""

    schema: int = SCHEMA
    campaign: str
    created_at: str
    command: list[str]
    profile: str
    seed: int
    topology: list[str]
    slots: int = 40
    """tasks in service at once in the `tuned` variants"""
    loop: str
    http: str
    subjects: list[Subject]
    plans: list[Plan]
    """planned before the first trial; empty for a search, whose trials follow from each other"""
    points: list[Point] = []
    """what a search looks for"""
    limit_ms: float = 100.0
    """a stream of requests is blocked where its p99 is above this"""
    precision: float = 1.1
    """the width of an interval, failed rate over held rate, at which a search is content"""
    lanes: int = 1
    """trials that ran beside each other: above 1 only counts can be trusted, no latency"""
    calibration: dict[str, float]
    """work units per millisecond of each computing kind"""
    pinning: dict[str, Any]
    """cores and niceness of each role; empty lists where the platform cannot pin"""
    environment: dict[str, Any]
    """host, versions and settings: for people and for refusing to compare the unlike"""

    def subject(self, key: str) -> Subject:
        """Return the subject with that key; raises KeyError."""
        return {s.key: s for s in self.subjects}[key]
