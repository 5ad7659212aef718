"""Opens a campaign, new or old, and what is needed to run its trials."""

import datetime as dt
import importlib.util
import itertools
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import msgspec

from harness.campaign.host import AGENT, CACHE_KIND, HERE, Host, Wanted
from harness.campaign.neighbours import measuring
from harness.campaign.own_record import record, recorded_settings
from harness.campaign.own_task import Own
from harness.campaign.predictions import split_key, subject_on
from harness.campaign.session import Procedure, Setup
from harness.campaign.trace_record import check_trace, trace_record
from harness.target import brokers
from harness.target.cores import Pinning, available_cores
from harness.target.declarations import subject
from harness.target.fleet import ALONE, Fleet
from harness.target.own import TaskWish
from harness.target.placement import Placement
from harness.target.processes import Family
from harness.target.versions import Pinned
from harness.terminal.signals import KEPT
from results.errors import BlockpointError
from results.schema import Manifest, Plan, Point, Subject
from results.store import Campaign, campaign_folder, create_campaign, open_campaign, runs_folder
from results.terms import KINDS
from results.text import masked
from results.trace import trace_gaps
from results.traffic import BURST_MEAN_S, Traffic
from targets.settings import ANYIO_TOKENS, Settings
from targets.strategy import find

LONGEST_NAME = 100
NAME = re.compile(rf"(?=.{{1,{LONGEST_NAME}}}$)[^\W_]([\w.-]*\w)?")
"""what every file system, shell and page takes as it is"""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Under which conditions a command was asked to measure."""

    seed: int
    slots: int
    anyio_tokens: int = ANYIO_TOKENS
    web_processes: int = 1
    """uvicorn's `--workers`"""
    middleware: bool = False
    asked: Mapping[str, str] = field(default_factory=dict)
    """settings of the target that were asked for by name, each with how it was"""
    loop: str
    http: str
    redis_url: str
    placement: Placement
    fleet: Fleet = ALONE
    host: Host = HERE
    """that the targets run on"""
    max_foreign_cores: float
    quiet_wait: float
    """longest wait for a quiet machine before each trial, s"""
    name: str
    resume: str
    """an existing campaign's name or folder; empty for a new one"""
    dry_run: bool = False
    report: bool = True
    as_json: bool = False
    """standard output gets one JSON document, and standard error all else"""
    task: TaskWish | None = None
    """the user's own, as it was asked for"""
    own: Own | None = None
    """the same, timed"""

    @property
    def settings(self) -> Settings:
        """Return what strategies may know beforehand."""
        base = Settings(
            slots=self.slots,
            anyio_tokens=self.anyio_tokens,
            web_processes=self.web_processes,
            middleware=self.middleware,
        )
        return self.own.on(base) if self.own else base


@dataclass(frozen=True, kw_only=True)
class Selection(Conditions):
    """What a command was asked to measure; empty or None where the profile decides."""

    profile: str
    strategies: tuple[str, ...]
    variants: tuple[str, ...]
    kinds: tuple[str, ...]
    durations_ms: tuple[float, ...]
    seconds: float | None
    attempts: int | None
    topologies: tuple[str, ...]
    versions: tuple[str, ...] = ()
    """of packages, for every strategy: `fastapi=0.121.0`"""
    python: str = ""
    """a version of the interpreter, for every strategy"""
    arrivals: str = "poisson"
    burst_mean_s: float = BURST_MEAN_S
    trace: str = ""
    cv: float = 0.0
    mix: float = 0.0

    @property
    def pins(self) -> list[str]:
        """Return what the environment of every strategy is to differ in."""
        return [*self.versions, *([f"python={self.python}"] if self.python else [])]

    @property
    def traffic(self) -> Traffic:
        """Return the traffic to be offered; raises BlockpointError where its parts do not fit together."""
        trace = str(Path(self.trace).resolve()) if self.trace else ""
        asked = Traffic(self.arrivals, self.cv, self.burst_mean_s, trace, self.mix).check()
        if trace:
            trace_gaps(trace)
        return asked


@dataclass(frozen=True, kw_only=True)
class Agenda:
    """What a new campaign is to measure: planned trials, or points whose trials follow from each other."""

    profile: str
    plans: Sequence[Plan] = ()
    points: Sequence[Point] = ()
    limit_ms: float = 100.0
    precision: float = 1.1
    jobs: int = 1
    left_out: Mapping[str, str] = field(default_factory=dict)
    subjects: Sequence[Subject] = ()
    """what is measured, where it is no strategy"""

    @property
    def work(self) -> list[Plan | Point]:
        """Return all that is to be measured, planned or searched."""
        return [*self.plans, *self.points]


def _calibrated(kind: str) -> bool:
    """Say whether a kind of task is made of units whose speed depends on the machine."""
    return kind in KINDS and not (KINDS[kind].held or KINDS[kind].own)


def create(conditions: Conditions, agenda: Agenda, members: Family) -> Campaign:
    """Write down all conditions of a new campaign, and pin this process to the generator's cores.

    Raises BlockpointError where its name cannot be used, and where no broker starts.
    """
    name = conditions.name or f"{agenda.profile}-{dt.datetime.now():%Y%m%d-%H%M%S}"
    if not NAME.fullmatch(name):
        raise BlockpointError(
            f"{name[:LONGEST_NAME]!r} cannot be a campaign's name: use letters, digits and, within, dots, "
            f"dashes and underscores, {LONGEST_NAME} in all at most"
        )
    pinning = conditions.placement.pinning("one-box")
    pinning.apply(os.getpid(), "harness")
    base = conditions.settings
    kinds = {kind for item in agenda.work for kind in item.kinds if _calibrated(kind)}
    topologies = list(dict.fromkeys(item.topology for item in agenda.work))
    keys = dict.fromkeys(item.subject for item in agenda.work)
    wanted = Wanted(sorted(kinds), {} if agenda.subjects else _brokers(keys))
    found = conditions.host.look(wanted, members, pinning, conditions.redis_url)
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
        loop=served_by(conditions.loop, ("uvloop", "asyncio")),
        http=served_by(conditions.http, ("httptools", "h11")),
        subjects=list(agenda.subjects) or [subject_on(key, base, pinning)[0] for key in keys],
        plans=list(agenda.plans),
        points=list(agenda.points),
        limit_ms=agenda.limit_ms,
        precision=agenda.precision,
        jobs=agenda.jobs,
        calibration=found.calibration,
        pinning={name: conditions.placement.pinning(name).describe() for name in topologies},
        environment={
            **conditions.host.environment(),
            **found.described,
            **(record(conditions.own) if conditions.own else {}),
        },
        left_out=dict(agenda.left_out),
    )
    manifest = msgspec.structs.replace(
        manifest, environment={**manifest.environment, **trace_record(manifest.traffic)}
    )
    campaign = create_campaign(runs_folder() / name, manifest)
    members.held.enter_context(campaign.writing())
    return campaign


def reopen(name: str, members: Family, where: Host = HERE) -> Campaign:
    """Open an old campaign to go on with it, and pin this process to the generator's cores.

    Raises BlockpointError where what is here now is not what the campaign was begun with, and while
    another process adds to it.
    """
    campaign = open_campaign(campaign_folder(name))
    members.held.enter_context(campaign.writing())
    then, now = campaign.manifest.environment, where.environment()
    if (AGENT in then) != where.elsewhere:
        how = "with an agent: go on by --agent" if AGENT in then else "without --agent"
        raise BlockpointError(f"{campaign.folder} was measured {how}")
    if (begun := _agents_host(then)) != (there := _agents_host(now)):
        raise BlockpointError(f"{campaign.folder} was measured on {begun}, and this agent is on {there}")
    for part, words in (("packages", "packages"), ("python", "Python"), ("git", "code")):
        if then.get(part) != now[part]:
            raise BlockpointError(
                f"{campaign.folder} was measured with other {words} than are here now: "
                "its trials would not be comparable; start a new campaign"
            )
    check_trace(campaign.manifest)
    host = then.get("host")
    if not isinstance(host, dict) or host.get("cpu_model") != now["host"]["cpu_model"]:
        raise BlockpointError(f"{campaign.folder} was measured on another machine; start a new campaign here")
    for told in campaign.manifest.subjects:
        if told.versions and told.versions != subject(told.strategy, told.variant, Settings()).versions:
            raise BlockpointError(
                f"{campaign.folder} was measured with other packages of {told.strategy} than are here now: "
                "its trials would not be comparable; start a new campaign"
            )
    _recorded_pinning(campaign, where).apply(os.getpid(), "harness")
    return campaign


def prepare(
    conditions: Conditions,
    campaign: Campaign,
    members: Family,
    procedure: Procedure,
    *,
    attempts: int,
    retry_until_s: float = float("inf"),
) -> Setup:
    """Return what the trials of a campaign need, and let others know that it measures from now on."""
    manifest = campaign.manifest
    neighbours = members.held.enter_context(measuring(manifest.campaign))
    for line in neighbours.warnings(conditions.max_foreign_cores):
        click.echo(f"warning: {line}", err=True)
    if conditions.fleet.elsewhere and not conditions.host.elsewhere:
        click.echo(
            f"warning: the target takes work from anyone who reaches {conditions.fleet.host}", err=True
        )
    KEPT.set(lambda: _kept(campaign))
    settings = Settings(
        slots=manifest.slots,
        anyio_tokens=manifest.anyio_tokens,
        web_processes=manifest.web_processes,
        middleware=manifest.middleware,
        units_per_ms_cpu=manifest.calibration.get("cpu", 1.0),
        units_per_ms_cpu_native=manifest.calibration.get("cpu_native", 1.0),
        units_per_ms_cache=manifest.calibration.get(CACHE_KIND, 1.0),
    )
    return Setup(
        family=members,
        settings=recorded_settings(settings, manifest, conditions.task),
        task_packages=conditions.task.packages if conditions.task else (),
        procedure=procedure,
        attempts=attempts,
        retry_until_s=retry_until_s,
        loop=manifest.loop,
        http=manifest.http,
        redis_url=conditions.redis_url,
        neighbours=neighbours,
        jobs=manifest.jobs,
        fleet=_fleet(manifest, conditions.fleet),
        start=conditions.host.start,
    )


def _fleet(manifest: Manifest, asked: Fleet) -> Fleet:
    """Return the generators that a campaign was begun with; raises BlockpointError where some are missing."""
    if asked.elsewhere != manifest.generators_elsewhere:
        raise BlockpointError(
            f"{manifest.campaign} was begun with {manifest.generators_elsewhere} generators elsewhere: "
            "go on with as many, by --generators NUMBER@HOST:PORT"
        )
    return replace(asked, processes=manifest.generators)


def unpin() -> None:
    """Let this process use every core again: a report has no generator to make room for."""
    if available_cores():
        os.sched_setaffinity(0, available_cores())


def served_by(asked: str, choices: tuple[str, str]) -> str:
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


def _kept(campaign: Campaign) -> str:
    sealed = sum(1 for _ in campaign.trials_folder.glob("[!.]*/trial.json"))
    named = campaign.folder.name if campaign.folder.parent == runs_folder() else campaign.folder
    return f"{sealed} sealed trials of {campaign.folder} are kept; go on with --resume {named}"


def _brokers(keys: Iterable[str]) -> dict[str, str]:
    """Return the servers that a campaign describes: Redis always, as `broker`, others where they are used."""
    used = {find(Pinned.parse(split_key(key)[0]).strategy).broker for key in keys} - {"", brokers.REDIS}
    return {"broker": brokers.REDIS, **{name: name for name in sorted(used)}}


def _agents_host(environment: Mapping[str, Any]) -> str:
    """Return the name of the host of an agent; empty where there was none."""
    told = environment.get(AGENT)
    return str(told.get("host")) if isinstance(told, dict) else ""


def _recorded_pinning(campaign: Campaign, where: Host) -> Pinning:
    """Return where the harness sat; raises BlockpointError where a recorded core is not there any more."""
    manifest = campaign.manifest
    asked: list[Plan | Point] = [*manifest.plans, *manifest.points]
    try:
        recorded = [Pinning.described(manifest.pinning[topology]) for topology in manifest.topology]
        sound = bool(recorded) and all(item.topology in manifest.topology for item in asked)
        sound = sound and {item.subject for item in asked} <= {each.key for each in manifest.subjects}
    except (KeyError, msgspec.ValidationError):
        sound = False
    if not sound:
        raise BlockpointError(f"{campaign.folder}: its manifest does not say what is measured, and where")
    ours = (pinning.generator if where.elsewhere else pinning.used for pinning in recorded)
    cores = {core for each in ours for core in each}
    if missing := sorted(cores.difference(available_cores())):
        raise BlockpointError(
            f"{campaign.folder} was measured on core {missing[0]} too, which is not available here"
        )
    return recorded[0]
