"""What a locustfile declares: a name, the stretches of its schedule, and options of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.openloop.faults import poison_fields, poisoned
from loadtests.openloop.options import COMMON, Option, Settings
from loadtests.openloop.recorder import task_ids
from loadtests.openloop.schedule import Schedule, Stretch
from loadtests.openloop.wire import PostTemplate, get
from results.errors import BlockpointError
from results.terms import Stream

TASKS_PATH, REGISTER_PATH = "/tasks", "/users/register"
MOST_ARRIVALS = 20_000_000
"""More would not fit the memory of the machines that this is meant for."""
BYSTANDER_PATHS = {Stream.PING: "/ping", Stream.PING_SYNC: "/ping-sync"}


@dataclass(frozen=True)
class Scenario:
    """A load pattern; `stretches` may raise BlockpointError for options that do not fit together."""

    name: str
    stretches: Callable[[Settings], Sequence[Stretch]]
    options: tuple[Option, ...] = ()
    path: str = TASKS_PATH
    closed: bool = False

    def plan(self, settings: Settings) -> Sequence[Stretch]:
        """Return the checked stretches; raises BlockpointError."""
        if settings.poison and self.path == REGISTER_PATH:
            raise BlockpointError("--poison: only tasks can be poisonous, not registrations")
        if settings.close_early_every and self.closed:
            raise BlockpointError("--close-early-every: the users of a closed loop wait for their answers")
        stretches = self.stretches(settings)
        arrivals = sum(s.seconds * (s.rate_per_s + 2 * settings.bystander_rate) for s in stretches)
        if arrivals > MOST_ARRIVALS:
            raise BlockpointError(
                f"{arrivals:.0f} requests are more than the {MOST_ARRIVALS} that one run can hold: "
                "lower --rate or --seconds"
            )
        return stretches

    @property
    def all_options(self) -> tuple[Option, ...]:
        """The options common to all scenarios, then this one's."""
        return COMMON + self.options


def task_fields(settings: Settings, duration_ms: float, path: str = TASKS_PATH) -> dict[str, Any]:
    """Return the fields of a task's JSON body, without its id."""
    fields: dict[str, Any] = {"kind": settings.kind, "duration_ms": duration_ms}
    if path == REGISTER_PATH:
        return {"email": "load@example.org", **fields}
    return {**fields, "payload": "x" * settings.payload_bytes, "fail_first": settings.fail_first}


def requests(
    schedule: Schedule,
    stretches: Sequence[Stretch],
    settings: Settings,
    *,
    path: str,
    authority: str,
    tag: int,
) -> Callable[[int], bytes]:
    """Return the function from a row of the schedule to the bytes of its request."""
    sound = [task_fields(settings, s.duration_ms, path) for s in stretches]
    spoilt = [{**fields, **poison_fields(settings)} for fields in sound] if settings.poison else []
    # the poisonous ones follow the others, in the order of the steps
    templates = [PostTemplate(path, authority, fields) for fields in sound + spoilt]
    template = schedule.step + len(sound) * (poisoned(schedule.arrival, settings.poison_every) & bool(spoilt))
    pings = {int(stream): get(p, authority) for stream, p in BYSTANDER_PATHS.items()}
    streams, template_of = schedule.stream.tolist(), template.tolist()
    ids = task_ids(schedule.arrival, tag).tolist()

    def request(row: int) -> bytes:
        stream = streams[row]
        return pings[stream] if stream else templates[template_of[row]](ids[row])

    return request
