"""taskiq over Redis: its stream broker, and its list broker where tuned."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import BackgroundTasks
from taskiq import AsyncBroker, SendTaskError

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S, publish_within
from targets.serving import by_kind, children
from targets.settings import Settings
from targets.strategies.taskiq import brokers
from targets.task import Task, hex_id

SHIPPED_PROCESSES, SHIPPED_TASKS = 2, 100


def _worker(broker: str, tasks: int, processes: int) -> list[str]:
    command = ["taskiq", "worker", f"{brokers.__name__}:{broker}", "--log-level", "WARNING"]
    return [*command, "--max-async-tasks", str(tasks), "--workers", str(processes)]


class TaskiqDefault:
    """As its documentation shows it but for `consumer_id`: stream broker, results kept for ever."""

    workers: Sequence[Sequence[str]] = [_worker("default", SHIPPED_TASKS, SHIPPED_PROCESSES)]
    queues: Sequence[str] = ("taskiq",)
    max_attempts = 1
    supervised = False

    def __init__(self, settings: Settings) -> None:
        self.window_s = settings.visibility_s or brokers.SHIPPED_IDLE_S
        on_the_loops = Service(law="loop", slots=SHIPPED_PROCESSES, processes=SHIPPED_PROCESSES)
        slots = SHIPPED_PROCESSES * SHIPPED_TASKS
        self.services: Mapping[str, Service] = {
            "sleep": Service(law="pool", slots=slots, processes=SHIPPED_PROCESSES),
            "cpu": on_the_loops,
            "cpu_native": on_the_loops,
        }
        self.settings: Mapping[str, Any] = {
            "broker": "RedisStreamBroker",
            "workers": SHIPPED_PROCESSES,
            "max_async_tasks": SHIPPED_TASKS,
            "consumer_id": brokers.FROM_THE_FIRST,
            "idle_timeout_s": self.window_s,
            "results": "redis",
        }

    async def start(self) -> None:
        """Connect to Redis and declare the consumer group."""
        await brokers.default.startup()

    def _broker(self, task: Task) -> AsyncBroker:  # noqa: ARG002
        return brokers.default

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Publish the task."""
        kicker = self._broker(task).find_task(brokers.TASK).kicker()
        await kicker.with_task_id(hex_id(task.id)).kiq(task.to_message())

    async def state(self, task_id: int) -> str | None:
        """Return how the task ended; None where there is no result (yet)."""
        results, name = brokers.default.result_backend, hex_id(task_id)
        if not await results.is_result_ready(name):
            return None
        return "failed" if (await results.get_result(name)).is_err else "finished"

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await brokers.default.shutdown()


class TaskiqTuned(TaskiqDefault):
    """Tuned: list broker, no results; a process for `slots` waiting tasks, others for computing ones."""

    queues = (brokers.WAITING, brokers.COMPUTING)
    max_attempts = brokers.ATTEMPTS
    pair: Sequence[AsyncBroker] = (brokers.tuned_waiting, brokers.tuned_computing)

    def __init__(self, settings: Settings) -> None:
        self.window_s = 0.0
        waiting = Service(law="pool", slots=settings.slots)
        self.services = by_kind(waiting, children(settings.cores))
        self.workers = [
            _worker("tuned_waiting", settings.slots, 1),
            _worker("tuned_computing", 1, settings.cores),
        ]
        self.settings = {"broker": "ListQueueBroker", "socket_timeout": None, "results": "none"}

    async def start(self) -> None:
        """Do nothing: the brokers connect at the first task."""

    def _broker(self, task: Task) -> AsyncBroker:
        waiting, computing = self.pair
        return waiting if KINDS[task.kind].awaited else computing

    async def state(self, task_id: int) -> str | None:  # noqa: ARG002
        """Return None: there are no results."""
        return None

    async def stop(self) -> None:
        """Disconnect from Redis."""
        for broker in self.pair:
            await broker.shutdown()


class TaskiqDurable(TaskiqTuned):
    """Durable: a task leaves the broker when it has ended, however its worker fares.

    It may be delivered a second time, also one that has completed: it must be idempotent. One that kills its
    process is delivered again for ever, once an idle timeout.
    """

    supervised = True
    pair = (brokers.durable_waiting, brokers.durable_computing)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or brokers.DURABLE_IDLE_S
        self.workers = [
            ["targets.supervisor", *_worker("durable_waiting", settings.slots, 1)],
            ["targets.supervisor", *_worker("durable_computing", 1, settings.cores)],
        ]
        self.settings = {
            "broker": "RedisStreamBroker",
            "consumer_id": brokers.FROM_THE_FIRST,
            "idle_timeout_s": self.window_s,
            "accept_limit_s": ACCEPT_LIMIT_S,
            "results": "none",
            **brokers.DURABLE,
        }

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Publish the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, super().submit(task, background), SendTaskError)
