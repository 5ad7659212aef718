"""A real Locust master and workers, of which one is another than the others."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.loadtests.conftest import BIN, LIMIT_S, Locust, Ran, addresses, served, two_processes, wait_until
from tests.loadtests.scripted import scripted

pytestmark = pytest.mark.e2e
HEADLESS = ("--master", "--headless", "--only-summary", "--expect-workers", "2")
TABLES = ("requests", "bystanders")
SHORT = ("--rate", "50", "--seconds", "1", "--duration-ms", "1")


@dataclass
class Party:
    """How a master and two workers ended, in that order; the second worker is the odd one."""

    master: Ran
    even: Ran
    odd: Ran


def together(
    locust: Locust, scenario: str, *arguments: str, odd_program: tuple[str, ...], odd_scenario: str = ""
) -> Party:
    bind, joining = addresses()
    started = [
        locust.start(scenario, *HEADLESS, *bind, *arguments),
        locust.start(scenario, "--worker", *joining),
        locust.start(odd_scenario or scenario, "--worker", *joining, program=odd_program),
    ]
    return Party(*(locust.finish(process, out) for process, out in started))


def lines(ran: Ran) -> list[str]:
    return [line for line in ran.output.splitlines() if line.startswith("blockpoint: ")]


def in_time_namespace(offset_s: int) -> tuple[str, ...]:
    entered = ("unshare", "-T", "--monotonic", str(offset_s), "-f", "--kill-child")
    try:
        subprocess.run([*entered, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no time namespaces here")
    return (*entered, str(BIN / "locust"))


@pytest.mark.parametrize(
    ("offset_s", "scenario", "more"),
    [(1000, "steady", ()), (-30, "steady", ()), (1000, "closed_loop", ("--users", "4"))],
)
def test_a_worker_on_another_clock_sends_its_share_in_time(
    locust: Locust, offset_s: int, scenario: str, more: tuple[str, ...]
) -> None:
    with scripted("") as server:
        began_ns = time.monotonic_ns()
        party = together(
            locust,
            scenario,
            *("--host", server.url, *SHORT, "--allow-errors", *more),
            odd_program=in_time_namespace(offset_s),
        )
        ended_ns = time.monotonic_ns()
    load, requests = party.master.load, party.master.table("requests")
    offsets_ns = sorted((each.offset_ns for each in load.generators), key=abs)
    assert offsets_ns[0] == 0
    assert abs(offsets_ns[1] - offset_s * 10**9) <= max(each.uncertainty_ns for each in load.generators)
    assert {int(each.uncertainty_ns > 0) for each in load.generators} == {0, 1}
    assert len(server.received) == len(requests) == load.accepted > 10
    for moment in ("due_ns", "sent_ns", "replied_ns"):
        assert requests[moment].between(began_ns, ended_ns).all(), moment


def test_a_worker_whose_clock_moved_after_it_was_compared_refuses_the_order(locust: Locust) -> None:
    """Here it lies: it says that it has the master's clock, and another time."""
    code = (
        "import sys, time; from locust.main import main; import loadtests.openloop.crew as crew;"
        "crew.Hand._time = lambda self: [time.monotonic_ns() + 10**12, self._boot_id, 'liar']; main()"
    )
    with scripted("") as server:
        party = together(
            locust, "steady", "--host", server.url, *SHORT, odd_program=(sys.executable, "-c", code)
        )
    assert server.received == []
    assert set(server.gets) == {b"/health"}
    assert {ran.code for ran in (party.master, party.even, party.odd)} == {2}
    assert [len(lines(ran)) for ran in (party.master, party.even, party.odd)] == [1, 1, 1]
    assert "its clock is not the master's" in lines(party.master)[0]
    assert not (party.master.out / "load.json").exists()


def test_a_worker_that_is_killed_is_named_and_the_rows_of_the_other_are_kept(locust: Locust) -> None:
    with scripted("") as server:
        bind, joining = addresses()
        master, out = locust.start("steady", *HEADLESS, *bind, "--host", server.url, *SHORT, "--seconds", "4")
        (even, _), (odd, _) = (locust.start("steady", "--worker", *joining) for _ in range(2))
        wait_until(lambda: len(server.received) > 10)
        odd.kill()
        ran = locust.finish(master, out)
    even.wait(LIMIT_S)
    requests = ran.table("requests")
    (kept,) = ran.load.generators
    (lost,) = (reason for reason in ran.load.reasons if reason.startswith("lost: "))
    assert kept.name not in lost
    assert kept.name.rpartition("_")[0] in lost
    assert lost.split()[1] in ran.output
    assert 5 < len(requests) < 4 * 50
    assert len(set(requests.arrival % 2)) == 1


def test_two_processes_send_exactly_what_one_does(locust: Locust) -> None:
    columns = ["arrival", "step", "duration_ms", "due_ns"]
    sent = []
    with scripted("") as server:
        for processes in ((), two_processes()):
            ran = locust.run("steady", "--host", server.url, *SHORT, "--cv", "1", *processes)
            tables = [ran.table(name) for name in TABLES]
            for table in tables:
                table["due_ns"] -= ran.load.steps[0].from_ns
            tables[0]["number"] = tables[0].task_id % 2**32
            sent.append([tables[0][[*columns, "number"]], tables[1][["stream", "arrival", "step", "due_ns"]]])
            assert sum(each.requests for each in ran.load.generators) == sum(map(len, tables))
    for one, two in zip(*sent, strict=True):
        assert len(one) > 10
        assert one.equals(two)


def test_a_worker_of_another_scenario_ends_the_run(locust: Locust) -> None:
    with scripted("") as server:
        party = together(
            locust,
            "steady",
            *("--host", server.url, *SHORT),
            odd_program=(str(BIN / "locust"),),
            odd_scenario="burst",
        )
    assert server.received == []
    assert {ran.code for ran in (party.master, party.even, party.odd)} == {2}
    assert "it loaded burst and the master steady" in lines(party.master)[0]


def test_a_worker_that_knows_nothing_of_orders_ends_the_run(locust: Locust, tmp_path: Path) -> None:
    """It loaded some other locustfile, and would never report."""
    stranger = tmp_path / "stranger.py"
    stranger.write_text("from locust import User\n\n\nclass Stranger(User):\n    tasks = [print]\n")
    with scripted("") as server:
        code = f"import sys; sys.argv[1:5] = ['-f', {str(stranger)!r}]; from locust.main import main; main()"
        odd = (sys.executable, "-c", code)
        party = together(locust, "steady", "--host", server.url, *SHORT, odd_program=odd)
    assert server.received == []
    assert (party.master.code, party.even.code) == (2, 2)
    assert "does not answer" in lines(party.master)[0]


def test_users_of_a_closed_loop_begin_with_its_schedule(locust: Locust, tmp_path: Path) -> None:
    """Also where a head start lets several processes hear of it: no request is due before the first step."""
    with served("background_tasks_async", tmp_path, "--log-level", "warning", "--no-access-log") as target:
        party = together(
            locust,
            "closed_loop",
            *("--host", target.url, *SHORT, "--users", "4"),
            odd_program=(str(BIN / "locust"),),
        )
    requests = party.master.table("requests")
    assert len(requests) > 10
    assert (requests.due_ns >= party.master.load.steps[0].from_ns).all()
    assert [ran.code for ran in (party.even, party.odd)] == [0, 0]
