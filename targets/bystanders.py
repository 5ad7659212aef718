"""Cheap endpoints that have nothing to do with tasks: they suffer only where the API blocks."""

from fastapi import APIRouter

router = APIRouter()


@router.get("/ping")
async def ping() -> dict[str, bool]:
    """Answer from the event loop."""
    return {"pong": True}


@router.get("/ping-sync")
def ping_sync() -> dict[str, bool]:
    """Answer from a thread of AnyIO's pool."""
    return {"pong": True}
