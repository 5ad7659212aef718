"""What a locustfile declares: a name, the steps of its schedule, and options of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.openloop.faults import check_poison, poison_fields, poisoned
from loadtests.openloop.options import COMMON, OPTIONS, LoadSettings, Option
from loadtests.openloop.recorder import task_ids
from loadtests.openloop.schedule import PlannedStep, Schedule
from loadtests.openloop.wire import PostTemplate, TimedPostTemplate, get_request
from results.errors import BlockpointError
from results.terms import BYSTANDERS, FANOUT_PARTS, KINDS, OFFERED_BY_ALL
from results.trace import trace_gaps
from results.traffic import Traffic

TASKS_PATH, REGISTER_PATH = "/tasks", "/users/register"
MOST_ARRIVALS = 20_000_000
"""More would not fit the memory of the machines that this is meant for."""
_UNUSED_BY_REGISTRATIONS = {
    "payload_bytes": "a registration has no payload",
    "fail_first": "the tasks of a registration do not fail",
    "poison": "only tasks can be poisonous, not registrations",
}
_UNUSED_BY_TASKS = {"parts": "only a registration starts more than one task"}
_UNUSED_BY_CLOSED_LOOPS = {
    "arrivals": "the users of a closed loop come when they were answered",
    "burst_mean_s": "the users of a closed loop come when they were answered",
    "trace": "the users of a closed loop come when they were answered",
    "cv": "the tasks of a closed loop are equally long",
    "mix": "the tasks of a closed loop are equally long",
    "close_early_every": "the users of a closed loop wait for their answers",
    "max_in_flight": "a closed loop has as many requests in flight as --users",
    "slip_limit_ms": "a closed loop has no schedule to be late for",
}
BYSTANDER_PATHS = {stream: stream.label for stream in BYSTANDERS}


@dataclass(frozen=True)
class Scenario:
    """A load pattern; `steps` may raise BlockpointError for options that do not fit together."""

    name: str
    steps: Callable[[LoadSettings], Sequence[PlannedStep]]
    options: tuple[Option, ...] = ()
    path: str = TASKS_PATH
    closed: bool = False

    def plan(self, settings: LoadSettings) -> Sequence[PlannedStep]:
        """Return the checked steps; raises BlockpointError."""
        for name, why in self.unused.items():
            if getattr(settings, name) != OPTIONS[name].default:
                raise BlockpointError(f"{OPTIONS[name].flag}: {why}")
        check_poison(settings)
        check_traffic(settings)
        kinds_of_parts(settings.parts)
        steps = self.steps(settings)
        beside_per_s = len(OFFERED_BY_ALL) * settings.bystander_rate
        arrivals = sum(s.seconds * (s.rate_per_s + beside_per_s) for s in steps)
        if arrivals > MOST_ARRIVALS:
            raise BlockpointError(
                f"{arrivals:.0f} requests are more than the {MOST_ARRIVALS} that one run can hold: "
                "lower --rate or --seconds"
            )
        return steps

    @property
    def unused(self) -> dict[str, str]:
        """The common options that this scenario cannot follow, and why."""
        return (_UNUSED_BY_REGISTRATIONS if self.path == REGISTER_PATH else _UNUSED_BY_TASKS) | (
            _UNUSED_BY_CLOSED_LOOPS if self.closed else {}
        )

    @property
    def all_options(self) -> tuple[Option, ...]:
        """The options common to all scenarios, then this one's."""
        return COMMON + self.options


def one_step(settings: LoadSettings) -> list[PlannedStep]:
    """Return one step, of one rate and one duration."""
    return [PlannedStep(settings.seconds, settings.rate, settings.duration_ms)]


def traffic(settings: LoadSettings) -> Traffic:
    """Return how tasks come and how long they last."""
    return Traffic(settings.arrivals, settings.cv, settings.burst_mean_s, settings.trace, settings.mix)


def check_traffic(settings: LoadSettings) -> None:
    """Raise BlockpointError for options about traffic that do not fit together, and for a bad trace."""
    if traffic(settings).check().trace:
        trace_gaps(settings.trace)


def kinds_of_parts(parts: str) -> list[str]:
    """Return the kinds of a registration's tasks, none where they are not named; raises BlockpointError."""
    kinds = parts.split(",") if parts else []
    if kinds and (len(kinds) != FANOUT_PARTS or not KINDS.keys() >= set(kinds)):
        raise BlockpointError(
            f"--parts: {parts} is not {FANOUT_PARTS} of {', '.join(KINDS)} with commas between"
        )
    return kinds


def task_fields(settings: LoadSettings, duration_ms: float, path: str = TASKS_PATH) -> dict[str, Any]:
    """Return the fields of a task's JSON body, without its id."""
    fields: dict[str, Any] = {"kind": settings.kind, "duration_ms": duration_ms}
    if path == REGISTER_PATH:
        return {"email": "load@example.org", "parts": kinds_of_parts(settings.parts) or None, **fields}
    return {**fields, "payload": "x" * settings.payload_bytes, "fail_first": settings.fail_first}


def requests(
    schedule: Schedule,
    steps: Sequence[PlannedStep],
    settings: LoadSettings,
    *,
    path: str,
    authority: str,
    tag: int,
) -> Callable[[int], bytes]:
    """Return the function from a row of the schedule to the bytes of its request."""
    sound = [task_fields(settings, s.duration_ms, path) for s in steps]
    spoilt = [{**fields, **poison_fields(settings)} for fields in sound] if settings.poison else []
    # the poisonous ones follow the others, in the order of the steps
    post = TimedPostTemplate if traffic(settings).lasting else PostTemplate
    templates = [post(path, authority, fields) for fields in sound + spoilt]
    template = schedule.step + len(sound) * (poisoned(schedule.arrival, settings.poison_every) & bool(spoilt))
    pings = {int(stream): get_request(p, authority) for stream, p in BYSTANDER_PATHS.items()}
    streams, template_of = schedule.stream.tolist(), template.tolist()
    ids, lasting = task_ids(schedule.arrival, tag).tolist(), schedule.duration_ms.tolist()

    def request(row: int) -> bytes:
        stream = streams[row]
        return pings[stream] if stream else templates[template_of[row]](ids[row], lasting[row])

    return request
