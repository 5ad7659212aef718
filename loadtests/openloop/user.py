"""The user that a locustfile subclasses: one per process, it walks the whole schedule."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import locust
from locust import User, task

from loadtests.openloop import statistics
from loadtests.openloop.address import Address, resolve
from loadtests.openloop.arguments import add_to
from loadtests.openloop.client import CONNECTIONS
from loadtests.openloop.commandline import check_alone, check_options, check_users
from loadtests.openloop.complaints import complain
from loadtests.openloop.coordinator import Coordinator
from loadtests.openloop.faults import hung_up
from loadtests.openloop.live import PART, Live
from loadtests.openloop.options import LoadSettings
from loadtests.openloop.run import Message
from loadtests.openloop.scenario import BYSTANDER_PATHS, Scenario, requests, traffic
from loadtests.openloop.schedule import NS_PER_S, Schedule, plan
from loadtests.openloop.service import ServiceSession, named
from loadtests.openloop.service_address import ServiceAddress
from loadtests.openloop.session import LoadSession, Outcomes, SessionLimits
from loadtests.openloop.shape import UntilDrained
from loadtests.openloop.spread import spread
from results.errors import BlockpointError
from results.terms import Stream

_USED: list[str] = []
"""the scenarios that this process has loaded"""


def use(user: type[User], scenario: Scenario) -> None:
    """Make the locustfile being loaded run this scenario: its options, its coordinator, its statistics."""
    statistics.install()
    _USED.append(scenario.name)
    events: Any = locust.events

    def declare(parser: Any, **_: Any) -> None:
        with ending_on_bad_input():
            check_alone(_USED)
        add_to(parser, scenario.all_options, user.__module__, sys.modules[user.__module__].__doc__ or "")

    def begin(environment: Any, **_: Any) -> None:
        with ending_on_bad_input():
            check_users(scenario.name, user, environment.user_classes, environment.shape_class, UntilDrained)
            if not environment.parsed_options.worker:
                check_options(environment.parsed_options, closed=scenario.closed)
            environment.blockpoint = coordinator = Coordinator(environment, scenario)
            watch(environment, coordinator, coordinator.read_settings().metrics)

    events.init_command_line_parser.add_listener(declare)
    events.init.add_listener(begin)


def watch(environment: Any, coordinator: Coordinator, address: str) -> None:
    """Let the run be watched: a worker tells its master, everyone else whoever asks at the address."""
    if environment.parsed_options.worker:

        def tell(data: dict[str, Any], **_: Any) -> None:
            if part := coordinator.progress():
                data[PART] = part

        environment.events.report_to_master.add_listener(tell)
    elif address:
        Live(environment, coordinator.progress).serve(address)


@contextmanager
def ending_on_bad_input() -> Iterator[None]:
    """End the process with one clear line and code 2."""
    try:
        yield
    except BlockpointError as error:
        complain(error)
        sys.exit(2)


@contextmanager
def collector_off() -> Iterator[None]:
    """Keep Python's garbage collector from interrupting: a session makes no reference cycles."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def open_session(environment: Any, scenario: Scenario, order: Message) -> LoadSession:
    """Return the session that an order asks for, ready to run; in a closed loop, of the bystanders only."""
    settings = LoadSettings(order["settings"])
    target = resolve(environment.host)
    steps = scenario.plan(settings)
    schedule = plan(
        [replace(s, rate_per_s=0.0) for s in steps] if scenario.closed else steps,
        seed=settings.seed,
        traffic=traffic(settings),
        bystander_per_s=settings.bystander_rate,
        bystanders=[Stream(number) for number in order["bystanders"]],
        warm_up=settings.warm_up,
    ).shard(order["index"], order["count"])
    names, name_of = _named(schedule, target, scenario)
    fire = environment.events.request.fire
    processes = order["web_processes"]

    def settled(row: int, response_time_ms: float | None, size: int, error: str) -> None:
        method, path = names[name_of[row]]
        fire(
            request_type=method,
            name=path,
            response_time=response_time_ms,
            response_length=size,
            exception=error or None,
            context={},
        )

    limits = SessionLimits(
        schedule_ns=round(sum(s.seconds for s in steps) * NS_PER_S),
        drain_ns=round(settings.drain_seconds * NS_PER_S),
        timeout_ns=round(settings.request_timeout * NS_PER_S),
        max_in_flight=settings.max_in_flight,
    )
    if isinstance(target, ServiceAddress):
        return ServiceSession.of(schedule, target, limits, settled, tag=order["tag"], steps=steps)
    return LoadSession(
        schedule,
        requests(schedule, steps, settings, path=scenario.path, authority=target.authority, tag=order["tag"]),
        target,
        limits,
        settled,
        hung_up=hung_up(schedule.arrival, settings.close_early_every) & (schedule.stream == Stream.TASKS),
        opened=spread(target, processes, CONNECTIONS, settings.seed) if processes > 1 else (),
    )


def _named(
    schedule: Schedule, target: Address, scenario: Scenario
) -> tuple[dict[int, tuple[str, str]], list[int]]:
    """Return methods and paths, as Locust's statistics show them, and which of them each row has."""
    if isinstance(target, ServiceAddress):
        return named(schedule, target.asked)
    bystanders = {int(stream): ("GET", path) for stream, path in BYSTANDER_PATHS.items()}
    return {int(Stream.TASKS): ("POST", scenario.path), **bystanders}, schedule.stream.tolist()


class OpenLoopUser(User):
    """Sends every request of a schedule at its due time, without waiting for the answers before it."""

    abstract = True
    scenario: ClassVar[Scenario]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not vars(cls).get("abstract"):
            use(cls, cls.scenario)

    @task
    def walk(self) -> None:
        """Take the next order, carry it out and report."""
        coordinator: Coordinator = self.environment.blockpoint
        coordinator.work(partial(open_session, self.environment, self.scenario), _walk)


def _walk(order: Message, session: LoadSession) -> Outcomes:
    with collector_off():
        return session.run(order["start_ns"])
