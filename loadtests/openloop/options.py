"""The options of a scenario: each once, with its unit, range and default."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from loadtests.openloop.gate import SLO_MS
from results.errors import BlockpointError
from results.terms import KINDS_RECORDED, REGISTRATION
from results.traffic import ARRIVALS, BURST_MEAN_S, LEAST_MIX, MOST_MIX, MOST_VARIATION


@dataclass(frozen=True)
class Option:
    """One command-line option; its type is that of the default."""

    name: str
    default: bool | int | float | str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    zero_is_off: bool = False
    """0 is taken too, though below the range"""
    in_web_ui: bool = True

    @property
    def flag(self) -> str:
        """The option as it is typed."""
        return "--" + self.name.replace("_", "-")

    def read(self, given: Any) -> Any:
        """Return a value in range and of the right type; raises BlockpointError."""
        kind = type(self.default)
        value: Any
        try:
            value = given if kind is bool else kind("" if given is None else given)
        except (TypeError, ValueError, OverflowError):
            raise BlockpointError(f"{self.flag}: {given!r} is not a number") from None
        if self.choices and value not in self.choices:
            raise BlockpointError(
                f"{self.flag}: {value!r} is not one of {', '.join(filter(None, self.choices))}"
            )
        if self.zero_is_off and value == 0:
            return value
        # written so that NaN is refused too
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            also = ", and not 0" if self.zero_is_off else ""
            raise BlockpointError(f"{self.flag}: {given} is outside {self.low:g} to {self.high:g}{also}")
        return value


COMMON: tuple[Option, ...] = (
    Option("rate", 50.0, "task arrivals per second, of all workers together", 0.01, 100_000),
    Option("seconds", 20.0, "length of the schedule, s", 0.1, 86_400),
    Option("duration_ms", 100.0, "duration of each task, ms", 0, 60_000),
    Option("kind", "sleep", "what a task does", choices=tuple(KINDS_RECORDED)),
    Option(
        "parts",
        "",
        f"kinds of the tasks that a registration starts, such as {','.join(REGISTRATION)}; empty: all --kind",
    ),
    Option("seed", 1, "seed of the schedule: the same seed gives the same arrivals", 0, 2**32 - 1),
    Option("arrivals", "poisson", "spacing of the tasks", choices=ARRIVALS),
    Option(
        "burst_mean_s",
        BURST_MEAN_S,
        "with --arrivals onoff: mean length of a stretch at twice the rate, and of a silence, s",
        0.01,
        3_600,
    ),
    Option(
        "trace",
        "",
        "with --arrivals trace: file of arrival offsets in s, one a line or the first column of a CSV; "
        "scaled to the rate, begun where the seed says, repeated as long as needed",
        in_web_ui=False,
    ),
    Option(
        "cv",
        0.0,
        "coefficient of variation of the tasks' durations, which are then lognormal; 0: all equally long",
        0,
        MOST_VARIATION,
    ),
    Option(
        "mix",
        0.0,
        "how many times as long as the others one task in ten is, for example 10; 0: as long",
        LEAST_MIX,
        MOST_MIX,
        zero_is_off=True,
    ),
    Option("bystander_rate", 20.0, "requests per second to each bystander, such as /ping", 0, 10_000),
    Option("payload_bytes", 0, "size of each task's payload, bytes", 0, 65_536),
    Option("fail_first", 0, "attempts that each task fails before it succeeds", 0, 10),
    Option(
        "poison",
        "",
        "make some tasks poisonous: all their attempts raise, or they kill the process that runs them",
        choices=("", "raise", "kill"),
    ),
    Option("poison_every", 5, "with --poison: one of this many tasks is, the last of them", 2, 1_000),
    Option("poison_kills", 1, "with --poison kill: attempts of a poisonous task that kill", 1, 3),
    Option(
        "close_early_every",
        0,
        "of this many tasks, close the first one's connection once it is sent and before its answer; 0: none",
        2,
        1_000,
        zero_is_off=True,
    ),
    Option("drain_seconds", 30.0, "longest wait for answers after the schedule, s", 0, 86_400),
    Option("request_timeout", 60.0, "longest wait for one answer, s", 0.001, 86_400),
    Option("max_in_flight", 900, "requests in flight per process above which an arrival is shed", 1, 20_000),
    Option("warm_up", 0.2, "share of each step, at its start, that is not measured", 0, 0.9),
    Option("allow_errors", False, "let the gate pass rejected and unanswered requests: overload is wanted"),
    Option("slip_limit_ms", 0.0, "slip p99 that is no fault at any latency, ms; 0 stands for 1 ms", 0, 1_000),
    Option(
        "slo_ms",
        SLO_MS,
        "what is shed is the target's doing where requests in flight have waited longer than this, ms",
        1,
        60_000,
    ),
    Option("out", "", "folder for requests.parquet, bystanders.parquet and load.json", in_web_ui=False),
    Option("metrics", "", "HOST:PORT at which to serve metrics for Prometheus", in_web_ui=False),
    Option("expect_nonce", "", "refuse a target whose /health has another nonce", in_web_ui=False),
    Option("expect", "", "refuse a target that is not this STRATEGY/VARIANT", in_web_ui=False),
)

OPTIONS = {option.name: option for option in COMMON}


@dataclass(frozen=True)
class LoadSettings:
    """The options of one run, checked; attribute access by option name."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None


def read(options: Iterable[Option], given: SimpleNamespace | Any) -> LoadSettings:
    """Read and check every option from an object with an attribute each; raises BlockpointError."""
    return LoadSettings({o.name: o.read(getattr(given, o.name, o.default)) for o in options})
