"""Cheap endpoints that have nothing to do with tasks: they suffer only where the API blocks."""

from collections.abc import Sequence

from fastapi import APIRouter
from fastapi.params import Depends

router = APIRouter()


@router.get("/ping")
async def ping() -> dict[str, bool]:
    """Answer from the event loop."""
    return {"pong": True}


@router.get("/ping-sync")
def ping_sync() -> dict[str, bool]:
    """Answer from a thread of AnyIO's pool."""
    return {"pong": True}


def reading(dependencies: Sequence[Depends]) -> APIRouter:
    """Return the route `/ping-db`, whose requests depend on what those that submit tasks depend on."""
    reader = APIRouter(dependencies=dependencies)
    reader.add_api_route("/ping-db", ping, methods=["GET"])
    return reader
