"""Endpoints that tell who the target is and how it fares."""

import contextlib
import os
from importlib import metadata
from typing import Any

import msgspec
from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from results.clock import boot_id
from results.interpreter import has_gil
from results.schema import Subject
from targets.metrics import Metrics
from targets.settings import Settings

PACKAGES = (
    "fastapi",
    "starlette",
    "anyio",
    "uvicorn",
    "celery",
    "kombu",
    "arq",
    "saq",
    "streaq",
    "huey",
    "taskiq",
    "taskiq-redis",
    "dramatiq",
    "rq",
    "redis",
    "coredis",
    "procrastinate",
    "psycopg",
)
"""shown where they are installed: each queue has an environment of its own"""


def conditions(settings: Settings) -> dict[str, Any]:
    """Return what of the serving process is chosen beside the strategy."""
    return {
        "web_processes": settings.web_processes,
        "middleware": settings.middleware,
        "anyio_tokens": settings.anyio_tokens,
        "gil": has_gil(),
    }


def observation(subject: Subject, settings: Settings, metrics: Metrics) -> APIRouter:
    """Return the routes `/health` and `/metrics` of one target."""
    router = APIRouter()
    identity = {
        "service": "blockpoint",
        "strategy": subject.strategy,
        "variant": subject.variant,
        "slots": {kind: service.slots for kind, service in subject.services.items()},
        "subject": msgspec.to_builtins(subject),
        "nonce": settings.nonce,
        "boot_id": boot_id(),
        "conditions": conditions(settings),
        "versions": _versions(),
    }

    @router.get("/health")
    async def health() -> dict[str, Any]:
        """Say who this is."""
        return {**identity, "pid": os.getpid()}

    @router.get("/metrics", response_class=PlainTextResponse)
    async def exposition() -> Response:
        """Show the target's metrics in Prometheus' text format."""
        return Response(await metrics.exposition(), media_type="text/plain; version=0.0.4")

    return router


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
