"""The endpoints, the same for every strategy.

`uvicorn targets.app:celery_tuned` (or `celery/tuned`) serves the strategy `celery` in its variant `tuned`;
`targets.app:celery` serves the variant `default`.
"""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from results.terms import KINDS
from targets import bystanders
from targets.bodylimit import BodyLimit
from targets.metrics import Metrics
from targets.middleware import ProcessTime
from targets.observation import observation
from targets.probes import Probes
from targets.registry import find, split_name
from targets.settings import Settings
from targets.strategy import Definition, dependencies_of
from targets.submission import submission
from targets.tally import Tally
from targets.waiting import Waiting
from targets.work import hang_up, units_per_ms


def create_app(definition: Definition, variant: str, settings: Settings) -> FastAPI:
    """Return the application that offloads its tasks to one strategy.

    Raises BlockpointError for an unknown variant or an installed library that is too old.
    """
    strategy = definition.build(variant, settings)
    probes = Probes(settings.ledger)
    tally = Tally(settings.ledger, strategy.max_attempts) if settings.ledger else None
    metrics = Metrics(probes, tally, Waiting(definition.broker, strategy.queues, settings))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for name, kind in KINDS.items():
            if not kind.needs or getattr(settings, kind.needs):
                units_per_ms(name, settings)
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.anyio_tokens
        await strategy.start()
        settle()
        async with probes.running():
            yield
        await strategy.stop()
        await hang_up()
        metrics.close()

    app = FastAPI(title="Blockpoint target", version=metadata.version("blockpoint"), lifespan=lifespan)
    app.add_middleware(BodyLimit)
    if settings.middleware:
        app.add_middleware(ProcessTime)
    app.add_exception_handler(RequestValidationError, refuse)
    app.include_router(submission(strategy, settings, metrics))
    app.include_router(bystanders.router)
    if dependencies := dependencies_of(strategy):
        app.include_router(bystanders.reading(dependencies))
    app.include_router(observation(definition.subject(variant, settings), settings, metrics))
    return app


def settle() -> None:
    """Leave what the start made out of garbage collections.

    A young process of these imports stops for 25 to 55 ms each time that all of its objects are walked: at
    600/s a pool of 40 then needs seconds to recover. One that has served for long hardly ever does.
    """
    gc.collect()
    gc.freeze()


MOST_FAULTS = 20
LONGEST_NAME = 64


def _short(part: int | str) -> int | str:
    return part[:LONGEST_NAME] if isinstance(part, str) else part


async def refuse(_request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, without repeating what it held: that may be large, or NaN."""
    faults = error.errors()[:MOST_FAULTS] if isinstance(error, RequestValidationError) else []
    detail = [
        {"loc": [_short(part) for part in fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
        for fault in faults
    ]
    return JSONResponse({"detail": detail}, status_code=422)


def __getattr__(name: str) -> FastAPI:
    if name.startswith("_"):
        raise AttributeError(name)
    strategy, variant = split_name(name)
    return create_app(find(strategy), variant, Settings.from_environment())
