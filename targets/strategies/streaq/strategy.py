"""streaQ over Redis streams; by hand: `streaq run targets.strategies.streaq.strategy:tuned`."""

import asyncio
import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from importlib.resources import files
from typing import Any, ClassVar

from coredis.connection import TCPLocation, UnixDomainSocketLocation
from coredis.exceptions import ConnectionError as RedisConnectionError
from coredis.exceptions import RedisError, ResponseError
from coredis.pool import ConnectionPool
from coredis.retry import ConstantRetryPolicy, ExponentialBackoffRetryPolicy
from fastapi import BackgroundTasks
from streaq import StreaqRetry, Worker

from results.schema import Service
from results.terms import KINDS
from targets.publishing import publish_within
from targets.redis_server import RedisServer
from targets.settings import Settings
from targets.task import MAX_DURATION_MS, Task, hex_id
from targets.work import TaskFailedError, perform, perform_async

MODULE = "targets.strategies.streaq.strategy"
SHIPPED_TASKS, SHIPPED_IDLE_S = 16, 60.0
TUNED_ATTEMPTS = 3
DURABLE_IDLE_S, DURABLE_TRIES = 15.0, 5
GRACE_S = MAX_DURATION_MS // 1000 + 10
ACCEPT_LIMIT_S, CONNECT_PAUSE_S = 3.0, 1.0
STATES = {"queued": "accepted", "scheduled": "accepted", "running": "started"}
_FAULTS = (RedisConnectionError, TimeoutError)
SHIPPED_RETRIES = ConstantRetryPolicy(_FAULTS, retries=2, delay=0.01)
DURABLE_RETRIES = ExponentialBackoffRetryPolicy(_FAULTS, retries=15, base_delay=0.05, max_delay=1.0)
"""about 11 s while connections are refused: long enough for a server to start again"""
_settings = Settings.from_environment()
_server = RedisServer.parse(_settings.redis_url)


def to_json(value: Any) -> str:
    """Serialise a task or its result; an exception becomes its text."""
    return json.dumps(value, default=str)


def pool(**options: Any) -> "ConnectionPool[Any]":
    """Return what reaches the server; coredis reads no percent signs of a URL unless it is told to."""
    if not _server.path:
        location: Any = TCPLocation(_server.host, _server.port)
    else:
        location = UnixDomainSocketLocation(_server.path)
    return ConnectionPool(
        location=location,
        db=_server.database,
        username=_server.username or None,
        password=_server.password or None,
        ssl_context=_tls(_server.tls) if _server.tls else None,
        decode_responses=True,
        **options,
    )


def _tls(options: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=options.get("ssl_ca_certs"), cadata=options.get("ssl_ca_data")
    )
    if certificate := options.get("ssl_certfile"):
        context.load_cert_chain(certificate, options.get("ssl_keyfile"))
    context.check_hostname = bool(options["ssl_check_hostname"])
    context.verify_mode = ssl.VerifyMode[f"CERT_{options['ssl_cert_reqs'].upper()}"]
    return context


def idle_s(settings: Settings, own: float) -> float:
    """Return after how long without a sign of life a task is taken from its worker."""
    return settings.visibility_s or own


def _worker(attempts: int, options: Mapping[str, Any], retries: Any, **settings: Any) -> "Worker[None]":
    """Return a worker that knows the tasks `wait` and `compute`."""
    made: Worker[None] = Worker(
        serializer=to_json, deserializer=json.loads, redis_kwargs={"retry_policy": retries}, **settings
    )

    async def wait(message: dict[str, Any]) -> None:
        with _tried(waiting.context.tries, attempts) as attempt:
            await perform_async(Task.from_message(message), attempt)

    def compute(message: dict[str, Any]) -> None:
        with _tried(computing.context.tries, attempts) as attempt:
            perform(Task.from_message(message), attempt)

    waiting = made.task(name="wait", **options)(wait)
    computing = made.task(name="compute", **options)(compute)
    return made


@contextmanager
def _tried(attempt: int, attempts: int) -> Iterator[int]:
    """Give the number of this try; streaQ tries again only what asks for it, and ends all other failures."""
    try:
        yield attempt
    except TaskFailedError:
        if attempt >= attempts:
            raise
        raise StreaqRetry(delay=0) from None


default = _worker(1, {}, SHIPPED_RETRIES, redis_pool=pool(), idle_timeout=idle_s(_settings, SHIPPED_IDLE_S))
tuned = _worker(
    TUNED_ATTEMPTS,
    {"max_tries": TUNED_ATTEMPTS, "ttl": 0, "silent": True},
    SHIPPED_RETRIES,
    redis_pool=pool(),
    concurrency=_settings.slots,
    prefetch=1,
    idle_timeout=idle_s(_settings, SHIPPED_IDLE_S),
)
durable = _worker(
    TUNED_ATTEMPTS,
    {"max_tries": DURABLE_TRIES, "ttl": 0, "silent": True},
    DURABLE_RETRIES,
    # a worker's read waits on the server for as long as `idle_timeout`
    redis_pool=pool(connect_timeout=1.0, stream_timeout=idle_s(_settings, DURABLE_IDLE_S) + 5),
    concurrency=_settings.slots,
    prefetch=1,
    idle_timeout=idle_s(_settings, DURABLE_IDLE_S),
    grace_period=GRACE_S,
)


class StreaqDefault:
    """As shipped: sixteen tasks at once, sixteen more fetched, results kept for five minutes."""

    queues: Sequence[str] = ("streaq:default:queues:normal", "streaq:default:queues:delayed:normal")
    workers: Sequence[Sequence[str]] = [["streaq", "run", f"{MODULE}:default"]]
    max_attempts = 1
    supervised = False
    worker: ClassVar["Worker[None]"] = default

    def __init__(self, settings: Settings) -> None:
        self._serve(SHIPPED_TASKS, idle_s(settings, SHIPPED_IDLE_S))

    def _serve(self, tasks: int, idle: float, **more: Any) -> None:
        # a worker that has nothing to do looks for abandoned tasks each time that its read ends
        self.window_s = 2 * idle
        self.services: Mapping[str, Service] = {kind: Service(law="pool", slots=tasks) for kind in KINDS}
        self.settings: Mapping[str, Any] = {"concurrency": tasks, "idle_timeout": idle, **more}

    async def start(self) -> None:
        """Connect to Redis and leave streaQ's functions there."""
        self._entered = AsyncExitStack()
        await self._entered.enter_async_context(self.worker)

    async def submit(self, task: Task, background: BackgroundTasks) -> None:  # noqa: ARG002
        """Enqueue the task."""
        function = self.worker.registry["wait" if KINDS[task.kind].awaited else "compute"]
        message = function.enqueue(task.to_message())
        message.id = hex_id(task.id)
        await message

    async def state(self, task_id: int) -> str | None:
        """Return streaQ's own state of the task; None where it keeps none."""
        raw = await self.worker.redis.get(f"{self.worker.results_key}{hex_id(task_id)}")
        if raw:
            return "finished" if json.loads(raw)["s"] else "failed"
        return STATES.get(await self.worker.status_by_id(hex_id(task_id)))

    async def stop(self) -> None:
        """Disconnect from Redis."""
        await self._entered.aclose()


class StreaqTuned(StreaqDefault):
    """Tuned: `slots` tasks at once, one more fetched, three tries, no results."""

    workers: Sequence[Sequence[str]] = [["streaq", "run", f"{MODULE}:tuned"]]
    max_attempts = TUNED_ATTEMPTS
    worker: ClassVar["Worker[None]"] = tuned

    def __init__(self, settings: Settings) -> None:
        more = {"prefetch": 1, "max_tries": TUNED_ATTEMPTS, "ttl": 0}
        self._serve(settings.slots, idle_s(settings, SHIPPED_IDLE_S), **more)


class StreaqDurable(StreaqTuned):
    """Durable: as tuned, a shorter `idle_timeout`, bounded waits and an orderly end, under a supervisor.

    A task may run a second time, also one that has completed: it must be idempotent. One that kills its
    worker is given up after `DURABLE_TRIES` starts, and every other task of that worker loses a try with it.
    """

    workers: Sequence[Sequence[str]] = [["targets.supervisor", "streaq", "run", f"{MODULE}:durable"]]
    supervised = True
    worker: ClassVar["Worker[None]"] = durable

    def __init__(self, settings: Settings) -> None:
        more = {"prefetch": 1, "max_tries": DURABLE_TRIES, "ttl": 0, "grace_period": GRACE_S}
        self._serve(settings.slots, idle_s(settings, DURABLE_IDLE_S), accept_limit_s=ACCEPT_LIMIT_S, **more)

    async def start(self) -> None:
        """Begin to connect, for as long as it takes: the API starts without its broker."""
        self._ready, self._over = asyncio.Event(), asyncio.Event()
        self._holding = asyncio.create_task(self._hold())

    async def _hold(self) -> None:
        """Keep the worker's context open, which one and the same task has to enter and to leave."""
        while not self._over.is_set():
            try:
                async with self.worker:
                    self._ready.set()
                    await self._over.wait()
            except* (RedisError, OSError):
                await asyncio.sleep(CONNECT_PAUSE_S)

    async def stop(self) -> None:
        """Disconnect from Redis."""
        self._over.set()
        if not self._ready.is_set():
            self._holding.cancel()
        await asyncio.wait({self._holding})

    async def submit(self, task: Task, background: BackgroundTasks) -> None:
        """Enqueue the task; raises UnreachableError after `ACCEPT_LIMIT_S` at the latest."""
        await publish_within(ACCEPT_LIMIT_S, self._publish(task, background), RedisError, OSError)

    async def _publish(self, task: Task, background: BackgroundTasks) -> None:
        await self._ready.wait()
        try:
            await super().submit(task, background)
        except ResponseError:  # a server that lost its memory has lost streaQ's functions, too
            await self.worker.redis.function_load(_functions(), replace=True)
            await super().submit(task, background)


def _functions() -> str:
    return (files("streaq") / "lua" / "streaq.lua").read_text()
