"""What a kind needs and how it is served, for whoever adds one."""

import asyncio

import httpx
import pytest

from analysis.queueing import saturation_rate
from harness.target.declarations import subject
from results.schema import Service
from results.terms import KINDS
from targets.app import create_app
from targets.registry import find
from targets.settings import Settings, variable
from targets.strategy import completed
from targets.work import BODIES
from tests.strategies import discover

CALIBRATED = Settings(units_per_ms_cpu=1.0, units_per_ms_cpu_native=1.0)
NEEDY = [name for name, kind in KINDS.items() if kind.needs]


def test_every_kind_has_a_body_that_awaits_where_it_says_so() -> None:
    assert KINDS.keys() == BODIES.keys()
    assert all((BODIES[name].awaiting is not None) == kind.awaited for name, kind in KINDS.items())


def test_every_strategy_serves_every_kind_and_what_it_awaits_as_it_serves_sleep() -> None:
    for definition in discover().values():
        for variant in definition.variants:
            services = subject(definition.name, variant, Settings()).services
            assert services.keys() == KINDS.keys()
            waiting = [services[name] for name, kind in KINDS.items() if kind.awaited]
            assert all(service == services["sleep"] for service in waiting)


def test_a_kind_that_is_named_is_served_as_it_says() -> None:
    named = {"sleep": Service(law="pool", slots=4), "http": Service(law="pool", slots=2)}
    assert completed(named)["http"].slots == 2
    assert completed(named)["smtp"].slots == 4
    assert "cpu" not in completed(named)


@pytest.mark.parametrize("law", ["await", "loop", "pool"])
def test_what_only_waits_has_the_ceiling_of_sleep_and_round_trips_that_of_python(law: str) -> None:
    service = Service(law=law, slots=0 if law == "await" else 8)  # type: ignore[arg-type]
    asleep, computing = (saturation_rate(service, kind, 100, 4) for kind in ("sleep", "cpu"))
    assert [saturation_rate(service, kind, 100, 4) for kind in ("http", "smtp")] == [asleep, asleep]
    assert saturation_rate(service, "cache", 100, 4) == computing == 10


async def _posted(path: str, body: dict[str, object]) -> httpx.Response:
    app = create_app(find("inline"), "default", CALIBRATED)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://target") as client,
    ):
        return await client.post(path, json=body)


@pytest.mark.parametrize("kind", NEEDY)
@pytest.mark.parametrize("how", ["task", "registration", "part"])
def test_a_target_without_the_server_that_a_task_needs_refuses_it_in_a_line(kind: str, how: str) -> None:
    path = "/tasks" if how == "task" else "/users/register"
    told = {"parts": ["sleep", "sleep", kind]} if how == "part" else {"kind": kind}
    reply = asyncio.run(_posted(path, {"task_id": "00000000000000a4", **told}))
    assert reply.status_code == 403
    assert reply.json()["detail"] == (
        f"this target was started without {variable(KINDS[kind].needs)}, which tasks of kind {kind} need"
    )
