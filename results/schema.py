"""The JSON documents of a campaign's folder: what they hold.

Times named `*_ns` are `CLOCK_MONOTONIC` nanoseconds of the host whose `boot_id` stands beside them;
`NEVER` stands for a moment that did not come.
"""

from typing import Annotated, Any, Literal

import msgspec

from results.base import (
    LEAST,
    SHORTEST_POLL_S,
    Arrivals,
    Count,
    Document,
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
    Share,
    Versioned,
    check_least,
)
from results.findings import Accounts, Incident, Noise, TargetHost
from results.load import Load
from results.terms import KINDS_RECORDED, LONGEST_MS, SEARCHING
from results.traffic import Traffic


class Demand(Document, frozen=True, kw_only=True):
    """What a task of the user's own was measured to hold, in shares of its time when it runs alone."""

    gil: Share
    cores: Share
    """of its process, all threads together"""
    loop: Share
    """of a coroutine: the event loop, by what it does between two awaits; 1 of anything else"""


class Service(Document, frozen=True, kw_only=True):
    """How a strategy serves tasks of one kind: all that its ceiling depends on."""

    law: Literal["await", "loop", "pool", "poll"]
    """`await` (coroutines, no limit), `loop` (one at a time on the event loop), `pool` (threads or
    processes) or `poll` (claimed at the ticks of a poll)"""
    slots: Several
    """tasks that can be in service at once; 0 where nothing limits it"""
    processes: Number = 1
    """processes that run tasks: pure-Python CPU work cannot use more cores than that"""
    children: bool = False
    """each task runs in a child, alone in it, which a worker or a pool started and outlives"""
    poll_s: Seconds = 0.0
    """`poll`: time between two looks at the queue; 0: none, it is a `pool`"""
    read_limit: Several = 0
    """`poll`: the most tasks claimed at one look; 0: no limit"""
    pools: Number = 1
    """equal queues, one in each web process, among which it is chance who gets a task or request; `slots` and
    `processes` are those of all together"""
    shares: list[Name] = []
    """which streams, by their columns, wait in the same queue as the tasks, `ping_sync` for one; `accept`
    under the law `await`: the reply itself waits until the task has ended"""
    demand: Demand | None = None
    """of a kind of the user's own; None: by the kind alone"""

    def __post_init__(self) -> None:
        check_least(SHORTEST_POLL_S, poll_s=self.poll_s)

    def in_each_of(self, pools: int) -> "Service":
        """Return how that many processes together serve, each of which serves like this."""
        return msgspec.structs.replace(
            self, slots=self.slots * pools, processes=self.processes * pools, pools=pools
        )

    @property
    def one_pool(self) -> "Service":
        """How one of its pools serves."""
        return msgspec.structs.replace(
            self, slots=self.slots // self.pools, processes=self.processes // self.pools, pools=1
        )


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
    """where tasks wait in the broker: Redis' keys, PostgreSQL's `table/status`; empty where there is none"""
    workers: Several = 0
    """worker processes started beside the web process"""
    window_s: Seconds = 0.0
    """longest time for which the broker hides a task whose worker died; 0: it hides none, or for good"""
    supervised: bool = False
    """its workers are restarted when they exit, as part of the strategy"""
    bystanders: list[Name] = []
    """those that it offers beside `results.terms.OFFERED_BY_ALL`, by their columns"""
    completions: Literal["ledger", "poll", "webhook", "none"] = "ledger"
    """where a task's end is seen: its processes record it, the service is asked for it or calls back, or
    nobody sees it"""
    asked: dict[Name, str] = {}
    """of a service of somebody's own: the request of each stream, by its column"""
    settings: dict[str, Any] = {}
    versions: dict[str, str] = {}
    """of Python and all packages of an environment of its own; empty where it ran in the harness's"""

    @property
    def key(self) -> str:
        """`strategy/variant`, unique in a campaign."""
        return f"{self.strategy}/{self.variant}"


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
    whole: bool = False
    """it is there for its length, and not ended early however far its work falls behind"""

    def __post_init__(self) -> None:
        Traffic.of(self.options)
        check_least(LEAST, duration_ms=self.duration_ms)
        if not KINDS_RECORDED.keys() >= set(self.kinds):
            raise ValueError("its registrations start tasks of an unknown kind")

    @property
    def kinds(self) -> list[str]:
        """The kinds of its tasks: those of a registration's, or its own."""
        told = dict(zip(self.options[::2], self.options[1::2], strict=False))
        return told["--parts"].split(",") if told.get("--parts") else [self.kind]


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
    options: list[str] = []
    """further arguments of its trials' scenario"""

    def __post_init__(self) -> None:
        Traffic.of(self.options)
        rates = {"lowest_per_s": self.lowest_per_s, "highest_per_s": self.highest_per_s}
        check_least(LEAST, duration_ms=self.duration_ms, **rates)

    @property
    def kinds(self) -> list[str]:
        """The kinds of its tasks."""
        return [self.kind]

    def covers(self, plan: Plan) -> bool:
        """Say whether a planned trial is one at this point."""
        about = (plan.subject, plan.kind, plan.duration_ms, plan.topology)
        own = (self.subject, self.kind, self.duration_ms, self.topology)
        return plan.scenario in SEARCHING and about == own


class Trial(Versioned, frozen=True, kw_only=True):
    """One measured run (`trial.json`)."""

    plan: Plan
    attempt: Number = 1
    started_at: str
    """UTC, ISO 8601"""
    boot_id: str
    """of the host by whose clock all moments are told: the target's, or the one that led where the target was
    on another"""
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
    target_host: TargetHost | None = None
    """where an agent started the target; None where whoever led it did"""
    spread: list[Count] = []
    """tasks that each web process accepted, the busiest first; empty in older trials"""
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
    web_processes: Number = 1
    """uvicorn's `--workers`: processes that answer at one port, each with a loop and a pool of its own"""
    middleware: bool = False
    """a `BaseHTTPMiddleware` stands before every endpoint"""
    generators: Several = 1
    """processes that generated the load on the harness's host"""
    generators_elsewhere: Several = 0
    """those on other hosts, or in other containers"""
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
    left_out: dict[Name, str] = {}
    """subjects that were asked for and could not run here, and why"""

    @property
    def traffic(self) -> Traffic:
        """How the tasks of its trials come and how long they last."""
        planned: list[Plan | Point] = [*self.plans, *self.points]
        return Traffic.of(planned[0].options if planned else [])

    @property
    def conditions(self) -> dict[str, Any]:
        """What of the serving processes is chosen beside the strategy, as `/health` has it."""
        return {
            "web_processes": self.web_processes,
            "middleware": self.middleware,
            "anyio_tokens": self.anyio_tokens,
            "gil": self.part("python").get("gil", True),
        }

    @property
    def served(self) -> dict[str, Any]:
        """All conditions of the web process, by which figures may be compared or not."""
        version = self.part("python").get("version")
        own = {"slots": self.slots, "loop": self.loop, "http": self.http, "python": version}
        return {**self.conditions, **own}

    def part(self, name: str) -> dict[str, Any]:
        """Return a part of the environment, such as `host`; empty where it is told in no such form."""
        found = self.environment.get(name)
        return found if isinstance(found, dict) else {}

    def cores(self, topology: str, role: str) -> tuple[int, ...]:
        """Return those that a role was pinned to; none where it was free, or the manifest does not tell."""
        pinned = self.pinning.get(topology)
        found = pinned.get(role) if isinstance(pinned, dict) else None
        told = found if isinstance(found, list | tuple) else ()
        return tuple(core for core in told if isinstance(core, int))

    def subject(self, key: str) -> Subject:
        """Return the subject with that key; raises KeyError."""
        return {s.key: s for s in self.subjects}[key]
