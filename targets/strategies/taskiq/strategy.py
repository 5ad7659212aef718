"""taskiq over Redis: its stream broker, and its list broker where tuned."""

from collections.abc import Sequence

from taskiq import AsyncBroker, SendTaskError

from results.schema import Service
from results.terms import KINDS
from targets.publishing import ACCEPT_LIMIT_S
from targets.queues import COMPUTING, WAITING, Durable, Queue, commands, under_supervisor
from targets.serving import by_kind, children, pool
from targets.settings import Settings
from targets.strategies.taskiq import brokers
from targets.task import Task, hex_id

SHIPPED_PROCESSES, SHIPPED_TASKS = 2, 100


def _worker(broker: str, tasks: int, processes: int) -> list[str]:
    command = ["taskiq", "worker", f"{brokers.__name__}:{broker}", "--log-level", "WARNING"]
    return [*command, "--max-async-tasks", str(tasks), "--workers", str(processes)]


def _workers(variant: str, settings: Settings) -> list[list[str]]:
    """Return a process for `slots` waiting tasks, and others for computing ones."""
    return [
        _worker(f"{variant}_waiting", settings.slots, 1),
        _worker(f"{variant}_computing", 1, settings.cores),
    ]


class Taskiq(Queue):
    """Publishes with the first of its brokers what waits, and with the last what computes."""

    through: Sequence[AsyncBroker]

    async def publish(self, task: Task) -> None:
        """Publish the task; a broker connects at the first."""
        broker = self.through[0 if KINDS[task.kind].awaited else -1]
        kicker = broker.find_task(brokers.TASK).kicker()
        await kicker.with_task_id(hex_id(task.id)).kiq(task.to_message())

    async def stop(self) -> None:
        """Disconnect from Redis."""
        for broker in self.through:
            await broker.shutdown()


class TaskiqDefault(Taskiq):
    """As its documentation shows it but for `consumer_id`: stream broker, results kept for ever."""

    workers = commands(_worker("default", SHIPPED_TASKS, SHIPPED_PROCESSES))
    queues = ("taskiq",)
    through = (brokers.default,)

    def __init__(self, settings: Settings) -> None:
        self.window_s = settings.visibility_s or brokers.SHIPPED_IDLE_S
        on_the_loops = Service(law="loop", slots=SHIPPED_PROCESSES, processes=SHIPPED_PROCESSES)
        coroutines = pool(SHIPPED_PROCESSES * SHIPPED_TASKS, SHIPPED_PROCESSES)
        self.services = by_kind(coroutines, on_the_loops)
        self.settings = {
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

    async def state(self, task_id: int) -> str | None:
        """Return how the task ended; None where there is no result (yet)."""
        results, name = brokers.default.result_backend, hex_id(task_id)
        if not await results.is_result_ready(name):
            return None
        return "failed" if (await results.get_result(name)).is_err else "finished"


class TaskiqTuned(Taskiq):
    """Tuned: list broker, no results; a process for `slots` waiting tasks, others for computing ones."""

    queues = (WAITING, COMPUTING)
    max_attempts = brokers.ATTEMPTS
    through = (brokers.tuned_waiting, brokers.tuned_computing)

    def __init__(self, settings: Settings) -> None:
        self.services = by_kind(pool(settings.slots), children(settings.cores))
        self.workers = _workers("tuned", settings)
        self.settings = {"broker": "ListQueueBroker", "socket_timeout": None, "results": "none"}


class TaskiqDurable(Durable, TaskiqTuned):
    """Durable: a task leaves the broker when it has ended, however its worker fares.

    It may be delivered a second time, also one that has completed: it must be idempotent. One that kills its
    process is delivered again for ever, once an idle timeout.
    """

    unreachable = (SendTaskError,)
    through = (brokers.durable_waiting, brokers.durable_computing)

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.window_s = settings.visibility_s or brokers.DURABLE_IDLE_S
        self.workers = under_supervisor(*_workers("durable", settings))
        self.settings = {
            "broker": "RedisStreamBroker",
            "consumer_id": brokers.FROM_THE_FIRST,
            "idle_timeout_s": self.window_s,
            "accept_limit_s": ACCEPT_LIMIT_S,
            "results": "none",
            **brokers.DURABLE,
        }
