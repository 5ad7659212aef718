"""What a campaign's manifest says of the user's task, and how it is gone on with."""

from dataclasses import replace
from typing import Any, Final

import msgspec

from harness.campaign.own_task import Own
from harness.target.own import TaskWish, look_for
from results.errors import BlockpointError
from results.schema import Demand, Manifest
from targets.settings import Settings

RECORD: Final = "your task"
"""its name among the conditions"""
HOLDS: Final = f"{RECORD} holds"


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The task with which a campaign was begun."""

    task: str
    args: str
    args_sha256: str
    packages: list[str]
    path: str
    folder: str
    seed: int
    limit_s: float
    defined: str
    """where Python says that it is defined"""
    source_sha256: str
    timed_in: str
    """the strategy in whose environment it was timed"""
    returned_bytes: int
    last_error: str
    queued: float = 0.0
    """share of the time of its calls alone for which other programs had its core"""

    def differs(self, wish: TaskWish, settings: Settings) -> str:
        """Return the name of what is not the same any more; empty where all is."""
        now = {
            "task": wish.name,
            "args_sha256": wish.args_sha256,
            "packages": list(wish.packages),
            "path": settings.own_path,
            "folder": settings.own_folder,
        }
        return next((name for name, value in now.items() if value != getattr(self, name)), "")


def record(own: Own) -> dict[str, Any]:
    """Return what the manifest says of it, for people and for whoever goes on with the campaign."""
    timed, wish, settings = own.timed, own.wish, own.settings
    begun = Begun(
        task=wish.name,
        args=wish.args,
        args_sha256=wish.args_sha256,
        packages=list(wish.packages),
        path=settings.own_path,
        folder=settings.own_folder,
        seed=settings.own_seed,
        limit_s=wish.limit_s,
        defined=timed.task,
        source_sha256=timed.source_sha256,
        timed_in=own.strategy,
        returned_bytes=timed.returned_bytes,
        last_error=timed.last_error,
        queued=round(timed.queued, 4),
    )
    phases = {"alone": timed.alone, "side by side": timed.side_by_side, "in processes": timed.in_processes}
    told = {
        RECORD: begun,
        HOLDS: Demand(gil=settings.own_gil, cores=settings.own_cores, loop=settings.own_loop),
        **{f"{RECORD} {name}": phase for name, phase in phases.items()},
    }
    return {name: msgspec.to_builtins(each) for name, each in told.items()}


def recorded_settings(base: Settings, manifest: Manifest, wish: TaskWish | None) -> Settings:
    """Return a campaign's settings, those of its task among them.

    Raises BlockpointError where its task was not asked for again, or is another: what a manifest from
    elsewhere names is not run because it stands there.
    """
    campaign, told = manifest.campaign, manifest.environment.get(RECORD)
    if told is None:
        if wish:
            raise BlockpointError(f"{campaign} was begun without --task")
        return base
    try:
        begun = msgspec.convert(told, Begun)
        held = msgspec.convert(manifest.environment.get(HOLDS), Demand)
    except msgspec.ValidationError as error:
        raise BlockpointError(f"{campaign}: its manifest does not say what its task was: {error}") from None
    if wish is None:
        raise BlockpointError(f"{campaign} measures --task {begun.task}: give it again")
    settings = wish.settings(base, begun.seed)
    if other := begun.differs(wish, settings):
        raise BlockpointError(f"{campaign} was begun with another task: its {other} is not the same")
    if look_for(wish, begun.timed_in) != begun.source_sha256:
        raise BlockpointError(f"{campaign} was begun with other code of {wish.name} than is here now")
    return replace(settings, own_gil=held.gil, own_cores=held.cores, own_loop=held.loop)
