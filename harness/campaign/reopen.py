"""Goes on with a campaign, where what is here is what it was begun with."""

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from harness.campaign.host import AGENT, HERE, Host
from harness.campaign.trace_record import check_trace
from harness.target.cores import Pinning, available_cores
from harness.target.declarations import subject
from harness.target.processes import Family
from results.errors import BlockpointError
from results.schema import Plan, Point
from results.store import Campaign, campaign_folder, open_campaign
from targets.settings import Settings


def reopen(name: str, members: Family, where: Host = HERE) -> Campaign:
    """Open an old campaign to go on with it, and pin this process to the generator's cores.

    Raises BlockpointError where what is here now is not what the campaign was begun with, and while
    another process adds to it.
    """
    campaign = open_campaign(campaign_folder(name))
    members.held.enter_context(campaign.writing())
    now = where.environment()
    _check_agent(campaign, where, now)
    _check_software(campaign, now)
    check_trace(campaign.manifest)
    _check_machine(campaign, now)
    _check_strategies(campaign)
    _recorded_pinning(campaign, where).apply(os.getpid(), "harness")
    return campaign


def _check_agent(campaign: Campaign, where: Host, now: Mapping[str, Any]) -> None:
    then = campaign.manifest.environment
    if (AGENT in then) != where.elsewhere:
        how = "with an agent: go on by --agent" if AGENT in then else "without --agent"
        raise BlockpointError(f"{campaign.folder} was measured {how}")
    if (begun := _agents_host(then)) != (there := _agents_host(now)):
        raise BlockpointError(f"{campaign.folder} was measured on {begun}, and this agent is on {there}")


def _check_software(campaign: Campaign, now: Mapping[str, Any]) -> None:
    for part, words in (("packages", "packages"), ("python", "Python"), ("git", "code")):
        if campaign.manifest.environment.get(part) != now[part]:
            raise _measured_with_other(words, campaign)


def _check_machine(campaign: Campaign, now: Mapping[str, Any]) -> None:
    if campaign.manifest.part("host").get("cpu_model") != now["host"]["cpu_model"]:
        raise BlockpointError(f"{campaign.folder} was measured on another machine; start a new campaign here")


def _check_strategies(campaign: Campaign) -> None:
    for told in campaign.manifest.subjects:
        if told.versions and told.versions != subject(told.strategy, told.variant, Settings()).versions:
            raise _measured_with_other(f"packages of {told.strategy}", campaign)


def _measured_with_other(what: str, campaign: Campaign) -> BlockpointError:
    return BlockpointError(
        f"{campaign.folder} was measured with other {what} than are here now: "
        "its trials would not be comparable; start a new campaign"
    )


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
