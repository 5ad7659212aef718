"""What the client makes of a target that misbehaves: no request lost from the record, none sent twice."""

import pytest

from results.terms import GIVEN_UP, NEVER, Outcome
from tests.loadtests.conftest import Locust, wait_until
from tests.loadtests.scripted import scripted

pytestmark = pytest.mark.e2e
LOAD = ("--rate", "100", "--seconds", "0.6", "--bystander-rate", "10")
BRIEFLY = ("--drain-seconds", "0.3")
"""where no answer will come"""


@pytest.mark.parametrize(
    ("behaviour", "outcome", "error"),
    [
        ("hang", Outcome.UNKNOWN, "drain limit"),
        ("close", Outcome.UNKNOWN, "closed before reply"),
        ("close within reply", Outcome.UNKNOWN, "closed within reply"),
        ("garbage", Outcome.UNKNOWN, "not HTTP"),
        ("busy", Outcome.REJECTED, ""),
        ("pieces", Outcome.ACCEPTED, ""),
        ("close after reply", Outcome.ACCEPTED, ""),
    ],
)
def test_each_misbehaviour_has_its_own_outcome(
    locust: Locust, behaviour: str, outcome: Outcome, error: str
) -> None:
    with scripted(behaviour) as server:
        ran = locust.run("steady", "--host", server.url, *LOAD, *(BRIEFLY if behaviour == "hang" else ()))
        wait_until(lambda: len(server.received) >= ran.load.scheduled)
    requests = ran.table("requests")
    assert len(requests) == ran.load.scheduled
    assert set(requests.outcome) == {outcome}, ran.output
    assert set(requests.error) == {error}
    assert sorted(server.received) == sorted(f"{task_id:016x}" for task_id in requests.task_id)
    assert (error in GIVEN_UP) == (behaviour == "hang")
    if error:
        assert (requests.replied_ns == NEVER).all()
        assert any(reason.startswith("errors:") and error in reason for reason in ran.load.reasons)


def test_a_request_times_out_by_itself(locust: Locust) -> None:
    with scripted("hang") as server:
        ran = locust.run("steady", "--host", server.url, *LOAD, "--request-timeout", "0.1", "--allow-errors")
    requests = ran.table("requests")
    assert set(requests.error) == {"timeout"} < GIVEN_UP
    assert not any(reason.startswith("errors") for reason in ran.load.reasons)


@pytest.mark.parametrize(("cap", "slo_ms", "refused"), [(20, 50, False), (20, 10_000, True)])
def test_over_the_cap_an_arrival_is_shed_and_counted(
    locust: Locust, cap: int, slo_ms: int, refused: bool
) -> None:
    """A target that hangs is at fault as soon as what is in flight has waited for longer than the limit."""
    asked = ("--max-in-flight", str(cap), "--slo-ms", str(slo_ms), "--slip-limit-ms", "1000")
    with scripted("hang") as server:
        ran = locust.run("steady", "--host", server.url, *LOAD, *BRIEFLY, *asked)
        wait_until(lambda: len(server.received) >= ran.load.scheduled - ran.load.shed)
    requests = ran.table("requests")
    shed = requests[requests.outcome == Outcome.SHED]
    assert len(shed) == ran.load.shed > 0
    assert (shed.sent_ns == NEVER).all()
    assert len(server.received) == len(requests) - len(shed) <= cap
    assert any(reason.startswith("shed:") for reason in ran.load.reasons) is refused, ran.load.reasons


def test_a_foreign_service_is_refused_before_any_load(locust: Locust) -> None:
    with scripted("foreign") as server:
        server.health = b'{"service":"something else"}'
        ran = locust.run("steady", "--host", server.url, *LOAD)
    assert ran.code == 2
    assert "some other service" in ran.output
    assert server.received == []
    assert server.gets == [b"/health"]


def test_more_than_the_generator_can_send_is_its_own_fault(locust: Locust) -> None:
    flood = ("--rate", "100000", "--seconds", "0.2", "--bystander-rate", "0", "--max-in-flight", "500")
    with scripted("answer") as server:
        ran = locust.run("steady", "--host", server.url, *flood, "--drain-seconds", "0.2", "--allow-errors")
    assert any(reason.startswith(("rate:", "shed:")) for reason in ran.load.reasons)


def test_a_schedule_without_a_task_is_a_fault(locust: Locust) -> None:
    with scripted("answer") as server:
        ran = locust.run("steady", "--host", server.url, "--rate", "0.01", "--seconds", "0.2")
    assert [reason.split(":")[0] for reason in ran.load.reasons] == ["empty"]
