"""What a command was asked for on the command line, and what it concludes of a campaign that is there."""

from pathlib import Path
from typing import Any

from harness.campaign.host import AGENT
from harness.commands.find import FindCommand, FindRequest
from harness.commands.skeleton import Command
from harness.target.placement import BY_RULE
from results.findings import TargetHost
from results.schema import Point, Service
from results.store import Campaign, open_campaign
from tests.analysis.synthetic import Cell, amend, build

POOL = Service(law="pool", slots=4)
COMMON: dict[str, Any] = {
    "seed": 1,
    "slots": 40,
    "loop": "auto",
    "http": "auto",
    "redis_url": "",
    "placement": BY_RULE,
    "max_foreign_cores": 0.1,
    "quiet_wait": 0.0,
    "name": "",
    "resume": "",
    "report": False,
    "as_json": True,
}
SELECTED: dict[str, Any] = {
    "profile": "smoke",
    "strategies": (),
    "variants": (),
    "kinds": (),
    "durations_ms": (),
    "seconds": None,
    "attempts": None,
    "topologies": (),
}


def searched(folder: Path, *rates_per_s: float, **given: Any) -> Campaign:
    """Make a search of a pool that finishes 80/s, which met these rates."""
    campaign, _ = build(folder, [Cell("celery", [(r, 6, 50)], service=POOL, workers=1) for r in rates_per_s])
    point = Point(
        subject="celery/default",
        kind="sleep",
        duration_ms=50,
        lowest_per_s=1,
        highest_per_s=60,
        seconds=3,
        max_seconds=6,
        bystander_per_s=20,
    )
    amend(campaign, plans=[], points=[point, *given.get("points", ())])
    return open_campaign(folder)


def elsewhere(folder: Path, *hosts: TargetHost) -> Campaign:
    """Make a grid with a trial on each of these, which are one host as an agent's clock showed it."""
    cells = [Cell("celery", [(20, 3, 50)], repeat=n, host=host) for n, host in enumerate(hosts)]
    campaign, _ = build(folder, cells)
    told = {"host": "web-1", "address": "http://10.0.0.7:8700"}
    amend(campaign, environment={**campaign.manifest.environment, AGENT: told})
    return open_campaign(folder)


def finding(**given: Any) -> FindCommand:
    asked = ("limit_ms", "precision", "highest_per_s", "max_trials", "budget_s")
    return FindCommand(FindRequest(**COMMON | SELECTED | dict.fromkeys(asked) | {"predict": True} | given))


def concluded(command: Command[Any, Any], campaign: Campaign) -> int:
    return command._hand_over(campaign, command.conclude(campaign))
