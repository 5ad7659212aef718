"""Makes ready what the trials of a campaign need, and lets others know that it measures."""

from collections.abc import Iterator
from dataclasses import replace

import click

from harness.campaign.conditions import Conditions
from harness.campaign.host import CACHE_KIND
from harness.campaign.neighbours import Neighbours, measuring
from harness.campaign.own_record import recorded_settings
from harness.campaign.session import Procedure, Setup
from harness.target.fleet import Fleet
from harness.target.processes import Family
from harness.terminal.signals import KEPT
from results.errors import BlockpointError
from results.schema import Manifest
from results.store import Campaign, runs_folder
from targets.settings import Settings


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
    for line in _warnings(conditions, neighbours):
        click.echo(f"warning: {line}", err=True)
    KEPT.set(lambda: _kept(campaign))
    return Setup(
        family=members,
        settings=recorded_settings(_settings(manifest), manifest, conditions.task),
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


def _warnings(conditions: Conditions, neighbours: Neighbours) -> Iterator[str]:
    yield from neighbours.warnings(conditions.max_foreign_cores)
    if conditions.fleet.elsewhere and not conditions.host.elsewhere:
        yield f"the target takes work from anyone who reaches {conditions.fleet.host}"


def _settings(manifest: Manifest) -> Settings:
    return Settings(
        slots=manifest.slots,
        anyio_tokens=manifest.anyio_tokens,
        web_processes=manifest.web_processes,
        middleware=manifest.middleware,
        units_per_ms_cpu=manifest.calibration.get("cpu", 1.0),
        units_per_ms_cpu_native=manifest.calibration.get("cpu_native", 1.0),
        units_per_ms_cache=manifest.calibration.get(CACHE_KIND, 1.0),
    )


def _fleet(manifest: Manifest, asked: Fleet) -> Fleet:
    """Return the generators that a campaign was begun with; raises BlockpointError where some are missing."""
    if asked.elsewhere != manifest.generators_elsewhere:
        raise BlockpointError(
            f"{manifest.campaign} was begun with {manifest.generators_elsewhere} generators elsewhere: "
            "go on with as many, by --generators NUMBER@HOST:PORT"
        )
    return replace(asked, processes=manifest.generators)


def _kept(campaign: Campaign) -> str:
    sealed = sum(1 for _ in campaign.trials_folder.glob("[!.]*/trial.json"))
    named = campaign.folder.name if campaign.folder.parent == runs_folder() else campaign.folder
    return f"{sealed} sealed trials of {campaign.folder} are kept; go on with --resume {named}"
