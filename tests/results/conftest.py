"""A small manifest and a small sealed trial that the tests of `results` share."""

from pathlib import Path

import numpy as np
import pytest

from results.columns import BYSTANDERS, EVENTS, RANGES, REQUESTS, RESOURCES
from results.documents import read_sealed
from results.findings import Accounts
from results.load import Load, Step
from results.schema import Manifest, Plan, Service, Subject, Trial
from results.store import Campaign, create_campaign
from results.tables import write_table

PLAN = Plan(
    trial_id="inline-default-sleep-50ms-20",
    subject="inline/default",
    kind="sleep",
    duration_ms=50.0,
    scenario="steady",
    rate_per_s=20.0,
    seconds=1.0,
    seed=7,
)
MANIFEST = Manifest(
    campaign="a-campaign",
    created_at="2026-01-02T03:04:05Z",
    command=["blockpoint", "run", "--name", "ünïcode"],
    profile="smoke",
    seed=7,
    topology=["one-box"],
    loop="uvloop",
    http="httptools",
    subjects=[
        Subject(
            strategy="inline",
            variant="default",
            summary="awaited before the reply",
            services={"sleep": Service(law="await", slots=0)},
        )
    ],
    plans=[PLAN],
    calibration={"cpu": 1234.5},
    pinning={"web": [0], "nice": 0},
    environment={"cpu": {"model": "test", "count": 2}},
)
LOAD = Load(
    scenario="steady",
    kind="sleep",
    seed=7,
    arrivals="poisson",
    bystander_per_s=10.0,
    boot_id="b",
    timer="timerfd",
    identity={"strategy": "inline"},
    steps=[Step(rate_per_s=20.0, duration_ms=50.0, from_ns=0, measure_from_ns=2, to_ns=10)],
    drained_ns=11,
    scheduled=3,
    accepted=3,
    rejected=0,
    refused=0,
    unknown=0,
    shed=0,
    achieved_ratio=1.0,
    slip_p50_ms=0.1,
    slip_p99_ms=0.2,
    slip_p999_ms=0.3,
    cpu_cores=0.1,
    in_flight_max=2,
)
ACCOUNTS = Accounts(**dict.fromkeys(Accounts.__struct_fields__, 0))


def columns(spec: dict[str, str], rows: int) -> dict[str, np.ndarray]:
    """Columns of a table with plain values, distinct as far as the column's range allows."""
    return {
        name: np.array([f"{name}{i}" for i in range(rows)], dtype=object)
        if kind == "string"
        else within(name, rows).astype(kind)
        for name, kind in spec.items()
    }


def within(name: str, rows: int) -> np.ndarray:
    low, high = RANGES.get(name, (0, 2**31))
    least = max(int(low), 0)
    return least + np.arange(rows) % (int(high) - least + 1)


def trial(
    rows: dict[str, int], *, attempt: int = 1, plan: Plan = PLAN, reasons: list[str] | None = None
) -> Trial:
    return Trial(
        plan=plan,
        attempt=attempt,
        started_at="2026-01-02T03:04:05Z",
        boot_id="b",
        ceiling_per_s=None,
        drained=True,
        drained_ns=11,
        foreign_cores=0.0,
        load=LOAD,
        accounts=ACCOUNTS,
        rows=rows,
        reasons=reasons or [],
    )


def seal_one(campaign: Campaign, *, attempt: int = 1) -> Trial:
    """Stage and seal a trial with all four tables."""
    staged = campaign.stage(PLAN.trial_id, attempt)
    tables = {"requests": REQUESTS, "bystanders": BYSTANDERS, "events": EVENTS, "resources": RESOURCES}
    sealed = trial(
        {name: write_table(staged, name, columns(spec, 3)) for name, spec in tables.items()}, attempt=attempt
    )
    return read_sealed(campaign.seal(staged, sealed) / "trial.json", Trial)


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return create_campaign(tmp_path / "a-campaign", MANIFEST)
