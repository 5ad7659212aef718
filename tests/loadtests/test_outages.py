"""What the generator makes of a target that dies and comes back, stands still, or is hung up on."""

import json
import signal
import time
from pathlib import Path
from subprocess import Popen

import pandas as pd
import pytest

from results.terms import NEVER, Outcome
from tests.loadtests.conftest import Locust, Ran, Served, served, wait_until
from tests.loadtests.scripted import scripted

pytestmark = pytest.mark.e2e
UNTIL_ENDED = ("--headless", "--only-summary", "--seconds", "60")
RATE_PER_S = 80
STEADY = ("--rate", str(RATE_PER_S), "--duration-ms", "20")


def every_arrival_has_its_row(ran: Ran) -> pd.DataFrame:
    requests = ran.table("requests")
    assert requests.arrival.tolist() == list(range(ran.load.scheduled))
    assert requests.task_id.is_unique
    assert ran.load.shed == 0
    # the schedule was walked on: each was sent, in order, whatever became of the ones before
    assert (requests.sent_ns != NEVER).all()
    assert requests.sent_ns.is_monotonic_increasing
    return requests


def end_once_resumed(
    locust: Locust, process: "Popen[str]", out: Path, target: Served, waiting: int = 0
) -> Ran:
    """Let the target answer some more tasks than may wait in it, then end: how long, nobody knows."""
    so_far = target.answered()
    wait_until(lambda: target.answered() > so_far + waiting + 20)
    return locust.interrupt(process, out, signal.SIGINT)


def test_a_killed_server_is_met_again_on_its_port(locust: Locust, tmp_path: Path) -> None:
    with served("inline", tmp_path) as target:
        process, out = locust.start("steady", *UNTIL_ENDED, *STEADY, "--host", target.url)
        wait_until(lambda: target.answered() > 60)
        killed_ns = target.signal(signal.SIGKILL)
        dead_ns = time.monotonic_ns()
        time.sleep(1)
        starting_ns = time.monotonic_ns()
        target.start()
        back_ns = time.monotonic_ns()
        ran = end_once_resumed(locust, process, out, target)
    requests = every_arrival_has_its_row(ran)
    before = requests[(requests.replied_ns != NEVER) & (requests.replied_ns < killed_ns)]
    down = requests[requests.sent_ns.between(dead_ns, starting_ns)]
    after = requests[(requests.sent_ns > back_ns) & (requests.error != "interrupted")]
    unknown = requests[(requests.outcome == Outcome.UNKNOWN) & (requests.error != "interrupted")]
    assert set(before.outcome) == {Outcome.ACCEPTED}
    assert len(down) > 0
    assert set(down.outcome) == {Outcome.REFUSED}
    assert set(down.error) == {"connection refused"}
    assert len(after) > 0
    assert set(after.outcome) == {Outcome.ACCEPTED}
    # only what the dead server held is unknown: bytes of it had left
    assert (unknown.sent_ns < dead_ns).all()
    assert set(unknown.error) <= {"connection reset", "closed before reply", "closed within reply"}
    assert set(requests.outcome) <= {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.UNKNOWN}
    bystanders = ran.table("bystanders")
    resumed = bystanders[(bystanders.sent_ns > back_ns) & (bystanders.error != "interrupted")]
    assert set(resumed.outcome) <= {Outcome.ACCEPTED}


def test_connections_that_died_while_idle_carry_no_request(locust: Locust, tmp_path: Path) -> None:
    """A server that dies between two requests leaves no request unknown, only refused until it is back."""
    sparse = ("--rate", "8", "--arrivals", "constant", "--duration-ms", "0", "--bystander-rate", "0")
    with served("inline", tmp_path) as target:
        process, out = locust.start("steady", *UNTIL_ENDED, *sparse, "--host", target.url)
        wait_until(lambda: target.answered() > 3)
        killed_ns = target.signal(signal.SIGKILL)
        target.start()
        ran = end_once_resumed(locust, process, out, target)
    requests = every_arrival_has_its_row(ran)
    requests = requests[requests.error != "interrupted"]
    in_service = (requests.sent_ns < killed_ns) & ~requests.replied_ns.between(0, killed_ns)
    assert set(requests[~in_service].outcome) <= {Outcome.ACCEPTED, Outcome.REFUSED}
    assert requests.outcome.tolist()[-1] == Outcome.ACCEPTED


def test_requests_to_a_stopped_server_end_by_their_time_out(locust: Locust, tmp_path: Path) -> None:
    with served("inline", tmp_path) as target:
        process, out = locust.start(
            "steady", *UNTIL_ENDED, *STEADY, "--host", target.url, "--request-timeout", "0.3"
        )
        wait_until(lambda: target.answered() > 60)
        target.signal(signal.SIGSTOP)
        stopped_ns = time.monotonic_ns()
        time.sleep(2)
        going_ns = target.signal(signal.SIGCONT)
        stood_s = (going_ns - stopped_ns) / 1e9
        ran = end_once_resumed(locust, process, out, target, waiting=round(2 * RATE_PER_S * stood_s))
    requests = every_arrival_has_its_row(ran)
    # a generator that is held up for a second still gives up before the server goes on
    stuck = requests[requests.sent_ns.between(stopped_ns, going_ns - 1_400_000_000)]
    assert len(stuck) > 0
    assert set(stuck.outcome) == {Outcome.UNKNOWN}
    assert set(stuck.error) == {"timeout"}
    ended = requests[requests.error != "interrupted"]
    assert set(ended.outcome) == {Outcome.ACCEPTED, Outcome.UNKNOWN}
    assert set(ended.error) == {"", "timeout"}
    assert Outcome.ACCEPTED in set(requests[requests.sent_ns > going_ns].outcome)


@pytest.mark.parametrize("payload_bytes", [0, 60_000])
def test_a_client_that_hangs_up_disturbs_no_other(locust: Locust, payload_bytes: int) -> None:
    arguments = ("--rate", "60", "--seconds", "2", "--bystander-rate", "20", "--slip-limit-ms", "1000")
    with scripted("patient") as server:
        ran = locust.run(
            "steady",
            *("--host", server.url, *arguments, "--close-early-every", "3"),
            *("--payload-bytes", str(payload_bytes)),
        )
    requests = every_arrival_has_its_row(ran)
    early = requests.arrival % 3 == 0
    assert set(requests[early].outcome) == {Outcome.UNKNOWN}
    assert set(requests[early].error) == {"closed early"}
    assert (requests[early].replied_ns == NEVER).all()
    assert set(requests[~early].outcome) == {Outcome.ACCEPTED}
    assert ran.load.unknown == early.sum() > 0
    # whole requests, each read once, each followed by the connection's end and not by a reset
    assert sorted(server.received) == sorted(f"{task_id:016x}" for task_id in requests.task_id)
    assert sorted(server.hung_up) == sorted(f"{task_id:016x}" for task_id in requests[early].task_id)
    assert all(len(json.loads(body)["payload"]) == payload_bytes for body in server.bodies.values())
    assert set(ran.table("bystanders").outcome) == {Outcome.ACCEPTED}
    assert not any(reason.startswith("errors") for reason in ran.load.reasons), ran.output


def test_poison_reaches_the_target(locust: Locust) -> None:
    poison = ("--poison", "kill", "--poison-every", "3", "--poison-kills", "2", "--fail-first", "1")
    with scripted("answer") as server:
        ran = locust.run("steady", "--host", server.url, "--rate", "50", "--seconds", "1", *poison)
    requests = every_arrival_has_its_row(ran)
    asked = [json.loads(server.bodies[f"{task_id:016x}"]) for task_id in requests.task_id]
    assert [body.get("kill_first", 0) for body in asked] == [2 * (i % 3 == 2) for i in range(len(asked))]
    assert [body["fail_first"] for body in asked] == [int(i % 3 != 2) for i in range(len(asked))]
