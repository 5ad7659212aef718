"""Begins a campaign: its folder, and all its conditions in a manifest."""

import datetime as dt
import importlib.util
import itertools
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from harness.campaign.agenda import Agenda
from harness.campaign.conditions import Conditions
from harness.campaign.host import Found, Wanted
from harness.campaign.own_record import record
from harness.campaign.predictions import split_key, subject_on
from harness.campaign.trace_record import trace_record
from harness.target import brokers
from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.versions import Pinned
from results.errors import BlockpointError
from results.schema import Manifest
from results.store import Campaign, create_campaign, runs_folder
from results.terms import KINDS
from results.text import masked
from targets.registry import find

LONGEST_NAME = 100
NAME = re.compile(rf"(?=.{{1,{LONGEST_NAME}}}$)[^\W_]([\w.-]*\w)?")
"""what every file system, shell and page takes as it is"""


def create(conditions: Conditions, agenda: Agenda, members: Family) -> Campaign:
    """Write down all conditions of a new campaign, and pin this process to the generator's cores.

    Raises BlockpointError where its name cannot be used, and where no broker starts.
    """
    name = _usable(conditions.name or f"{agenda.profile}-{dt.datetime.now():%Y%m%d-%H%M%S}")
    pinning = conditions.placement.pinning("one-box")
    pinning.apply(os.getpid(), "harness")
    found = conditions.host.look(_wanted(agenda), members, pinning, conditions.redis_url)
    manifest = _manifest(name, conditions, agenda, pinning, found)
    campaign = create_campaign(runs_folder() / name, manifest)
    members.held.enter_context(campaign.writing())
    return campaign


def _usable(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BlockpointError(
            f"{name[:LONGEST_NAME]!r} cannot be a campaign's name: use letters, digits and, within, dots, "
            f"dashes and underscores, {LONGEST_NAME} in all at most"
        )
    return name


def _wanted(agenda: Agenda) -> Wanted:
    kinds = {kind for item in agenda.work for kind in item.kinds if _calibrated(kind)}
    return Wanted(sorted(kinds), {} if agenda.subjects else _brokers(agenda.keys))


def _manifest(name: str, conditions: Conditions, agenda: Agenda, pinning: Pinning, found: Found) -> Manifest:
    base = conditions.settings
    topologies = list(dict.fromkeys(item.topology for item in agenda.work))
    manifest = Manifest(
        campaign=name,
        created_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        command=_command(conditions.redis_url),
        profile=agenda.profile,
        seed=conditions.seed,
        topology=topologies,
        slots=conditions.slots,
        anyio_tokens=conditions.anyio_tokens,
        web_processes=conditions.web_processes,
        middleware=conditions.middleware,
        generators=conditions.fleet.processes,
        generators_elsewhere=conditions.fleet.elsewhere,
        loop=_served_by(conditions.loop, ("uvloop", "asyncio")),
        http=_served_by(conditions.http, ("httptools", "h11")),
        subjects=list(agenda.subjects) or [subject_on(key, base, pinning)[0] for key in agenda.keys],
        plans=list(agenda.plans),
        points=list(agenda.points),
        limit_ms=agenda.limit_ms,
        precision=agenda.precision,
        jobs=agenda.jobs,
        calibration=found.calibration,
        pinning={topology: conditions.placement.pinning(topology).describe() for topology in topologies},
        environment={
            **conditions.host.environment(),
            **found.described,
            **(record(conditions.own) if conditions.own else {}),
        },
        left_out=dict(agenda.left_out),
    )
    traced = {**manifest.environment, **trace_record(manifest.traffic)}
    return msgspec.structs.replace(manifest, environment=traced)


def _calibrated(kind: str) -> bool:
    """Say whether a kind of task is made of units whose speed depends on the machine."""
    return kind in KINDS and not (KINDS[kind].held or KINDS[kind].own)


def _brokers(keys: Iterable[str]) -> dict[str, str]:
    """Return the servers that a campaign describes: Redis always, as `broker`, others where they are used."""
    used = {find(Pinned.parse(split_key(key)[0]).strategy).broker for key in keys} - {"", brokers.REDIS}
    return {"broker": brokers.REDIS, **{name: name for name in sorted(used)}}


def _served_by(asked: str, choices: tuple[str, str]) -> str:
    """Return what uvicorn's `auto` comes to: the first of two choices where it is installed."""
    if asked != "auto":
        return asked
    fast, plain = choices
    return fast if importlib.util.find_spec(fast) else plain


def _command(redis_url: str) -> list[str]:
    """Return the command line as it may be shown."""
    option = "--redis-url"

    def shown(before: str, argument: str) -> str:
        if before == option:
            return masked(redis_url)
        return masked(f"{option}={redis_url}" if argument.startswith(f"{option}=") else argument)

    return [Path(sys.argv[0]).name, *itertools.starmap(shown, itertools.pairwise(sys.argv))]
