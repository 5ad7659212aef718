"""A synthetic campaign of a service with a pool of four connections: 80 tasks of 50 ms a second."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from results.schema import Point, Service
from results.store import Campaign, open_campaign
from tests.analysis.synthetic import Cell, amend, build

SECONDS = 6
ASKED = {"accept": "POST /orders", "bystander_1": "GET /health", "bystander_2": "GET /orders"}


def build_service(folder: Path, *rates_per_s: float, reasons: Sequence[str] = ()) -> Campaign:
    """Write the search of the service at these rates: who needs a connection waits, nobody else does."""
    cells = [
        Cell(
            "shop",
            [(rate, SECONDS, 50)],
            variant="service",
            service=Service(law="pool", slots=4),
            suffers=("accept", "bystander_2"),
            seed=place,
            reasons=list(reasons),
        )
        for place, rate in enumerate(rates_per_s)
    ]
    campaign, _ = build(folder, cells)
    subject = msgspec.structs.replace(
        campaign.manifest.subjects[0],
        completions="none",
        asked=ASKED,
        bystanders=["bystander_1", "bystander_2"],
    )
    point = Point(
        subject=subject.key,
        kind="sleep",
        duration_ms=50,
        lowest_per_s=2,
        highest_per_s=200,
        seconds=2,
        max_seconds=SECONDS,
        bystander_per_s=20,
    )
    amend(campaign, subjects=[subject], plans=[], points=[point], precision=1.5)
    return open_campaign(folder)
