"""A real Locust master and workers, of which one cannot follow the others."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.loadtests.conftest import BIN, Locust, Ran, free_port, served
from tests.loadtests.scripted import scripted

pytestmark = pytest.mark.e2e
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
    port = str(free_port())
    bind = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port)
    headless = ("--master", "--headless", "--only-summary", "--expect-workers", "2")
    worker = ("--worker", "--master-host", "127.0.0.1", "--master-port", port)
    started = [
        locust.start(scenario, *headless, *bind, *arguments),
        locust.start(scenario, *worker),
        locust.start(odd_scenario or scenario, *worker, program=odd_program),
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
    [(1000, "steady", ()), (-30, "steady", ()), (1, "closed_loop", ("--users", "4"))],
)
def test_a_worker_on_another_clock_ends_the_run_before_a_byte_of_load(
    locust: Locust, offset_s: int, scenario: str, more: tuple[str, ...]
) -> None:
    with scripted("") as server:
        party = together(
            locust,
            scenario,
            *("--host", server.url, *SHORT, "--seconds", "8", *more),
            odd_program=in_time_namespace(offset_s),
        )
    assert server.received == []
    assert set(server.gets) == {b"/health"}
    assert [ran.code for ran in (party.master, party.even, party.odd)] == [2, 2, 2]
    assert [len(lines(ran)) for ran in (party.master, party.even, party.odd)] == [1, 1, 1]
    assert "worker" in lines(party.master)[0]
    assert all("its clock is not the master's" in lines(ran)[0] for ran in (party.master, party.odd))
    assert not (party.master.out / "load.json").exists()


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
