"""What the generator did in a trial, and how well it kept to its schedule."""

from typing import Annotated, Any

import msgspec

from results.base import (
    LEAST,
    Arrivals,
    Count,
    Document,
    Figure,
    Kind,
    Milliseconds,
    Name,
    Nanoseconds,
    Number,
    Rate,
    Versioned,
    check_least,
)
from results.columns import FARTHEST_NS
from results.lasting import Lasting


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


class Generator(Document, frozen=True, kw_only=True):
    """A process that sent a share of the schedule, and how its clock was read."""

    name: Name
    """Locust's, of a worker; empty where the leading process generated too"""
    host: Name
    boot_id: str
    requests: Count
    """of all streams"""
    cpu_cores: Figure
    offset_ns: Annotated[int, msgspec.Meta(ge=-FARTHEST_NS, le=FARTHEST_NS)] = 0
    """its clock less that of the process that led it, before the run; exactly 0 where they are one"""
    uncertainty_ns: Count = 0
    """by how much its times, translated, may be wrong"""
    drift_ppm: Figure = 0.0
    """how much faster its clock ran, in millionths"""


class Load(Versioned, frozen=True, kw_only=True):
    """What the generator did and how well it kept to its schedule (`load.json`)."""

    scenario: Name
    closed: bool = False
    """True for a closed loop: rows have no schedule, so due is sent and coordinated omission is in them"""
    kind: Kind
    seed: Count
    arrivals: str
    """see `results.traffic`"""
    cv: Figure = 0.0
    """coefficient of variation of the tasks' durations; a step's is their mean"""
    mix: Figure = 0.0
    """one task in ten lasted so many times as long as the others"""
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
    followed_every: Number = 1
    """of so many tasks one was followed to its end"""
    generators: list[Generator] = []
    """who shared the schedule; empty in older trials, which had one"""
    interrupted: bool = False
    reasons: list[str] = []
    """why the gate refused the trial; empty when it passed"""

    @property
    def lasting(self) -> Lasting:
        """The law of its tasks' durations."""
        return Lasting(self.cv, self.mix)
