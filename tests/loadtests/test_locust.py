"""Locust run as a user runs it, against the real FastAPI target."""

import csv
import signal

import httpx
import numpy as np
import pytest

from harness.target.broker import free_port
from results.terms import NEVER, Outcome
from tests.loadtests.conftest import Locust, addresses, answers, wait_until
from tests.loadtests.scripted import scripted

pytestmark = pytest.mark.e2e
QUIET = ("--duration-ms", "1")


def test_a_steady_run_writes_every_arrival(locust: Locust, target: str) -> None:
    prefix = locust.folder / "statistics"
    ran = locust.run(
        "steady",
        *("--host", target, "--rate", "100", "--seconds", "2", "--seed", "4", *QUIET, "--expect"),
        "background_tasks/default",
        *("--csv", str(prefix), "--html", str(locust.folder / "page.html")),
    )
    load, requests, bystanders = ran.load, ran.table("requests"), ran.table("bystanders")
    assert ran.code == (1 if load.reasons else 0), ran.output
    assert {reason.split(":")[0] for reason in load.reasons} <= {"slip", "cpu", "rate"}, ran.output
    assert load.scheduled == load.accepted == len(requests)
    assert requests.arrival.tolist() == list(range(len(requests)))
    assert requests.task_id.is_unique
    assert (requests.task_id % 4 == 0).all()
    assert (requests.status == 202).all()
    assert (requests.due_ns <= requests.sent_ns).all()
    assert (requests.sent_ns < requests.replied_ns).all()
    assert set(bystanders.stream) == {1, 2}
    assert "gate:" in ran.output
    assert (locust.folder / "page.html").stat().st_size > 10_000
    with prefix.with_name("statistics_stats.csv").open() as file:
        rows = {row["Name"]: row for row in csv.DictReader(file)}
    latency_ms = (requests.replied_ns - requests.due_ns) / 1e6
    assert int(rows["/tasks"]["Request Count"]) == len(requests)
    assert float(rows["/tasks"]["Average Response Time"]) == pytest.approx(latency_ms.mean(), rel=1e-6)
    assert float(rows["/tasks"]["Max Response Time"]) == pytest.approx(latency_ms.max(), rel=1e-6)
    assert float(rows["/tasks"]["50%"]) == pytest.approx(np.quantile(latency_ms, 0.5), rel=0.05)


@pytest.mark.parametrize(
    ("scenario", "extra", "steps"),
    [
        ("ramp", ("--steps", "3", "--top-rate", "90"), [(30, 1), (60, 1), (90, 1)]),
        ("burst", ("--burst-seconds", "0.5", "--burst-rate", "200"), [(30, 1), (200, 1), (30, 1)]),
        ("duration_sweep", ("--durations", "1,5"), [(30, 1), (30, 5)]),
        ("stairs", ("--rates", "10,20,30"), [(10, 1), (20, 1), (30, 1)]),
        ("fanout", (), [(30, 1)]),
    ],
)
def test_each_scenario_walks_its_steps(
    locust: Locust, target: str, scenario: str, extra: tuple[str, ...], steps: list[tuple[float, float]]
) -> None:
    ran = locust.run(scenario, "--host", target, "--rate", "30", "--seconds", "1.2", *QUIET, *extra)
    load, requests = ran.load, ran.table("requests")
    assert [(s.rate_per_s, s.duration_ms) for s in load.steps] == steps
    assert all(a.to_ns == b.from_ns for a, b in zip(load.steps, load.steps[1:], strict=False))
    assert (requests.status == 202).all()
    assert [load.steps[step].duration_ms for step in requests.step] == requests.duration_ms.tolist()
    for index, step in enumerate(load.steps):
        due_ns = requests.due_ns[requests.step == index]
        assert due_ns.between(step.from_ns, step.to_ns).all()


def test_a_closed_loop_is_labelled_and_recorded_alike(locust: Locust, target: str) -> None:
    arguments = ("--host", target, "--users", "5", "--rate", "100", "--seconds", "1", *QUIET)
    ran = locust.run("closed_loop", *arguments)
    load, requests = ran.load, ran.table("requests")
    assert load.closed
    assert "closed loop" in ran.output
    assert (requests.due_ns == requests.sent_ns).all()
    assert load.scheduled == load.accepted == len(requests) > 0
    assert len(ran.table("bystanders")) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_keeps_what_was_measured(locust: Locust, number: signal.Signals) -> None:
    with scripted("") as server:
        arguments = ("--headless", "--host", server.url, "--rate", "50", "--seconds", "100")
        process, out = locust.start("steady", *arguments)
        wait_until(lambda: len(server.received) > 10)
        ran = locust.interrupt(process, out, number)
    load = ran.load
    assert ran.code != 0
    assert load.interrupted
    assert 10 < load.scheduled == len(ran.table("requests")) < 5000
    assert load.steps[0].to_ns - load.steps[0].from_ns < 100e9


def test_a_run_time_shorter_than_the_schedule_is_an_interruption(locust: Locust, target: str) -> None:
    ran = locust.run("steady", "--host", target, "--rate", "50", "--seconds", "30", "-t", "1s", *QUIET)
    assert ran.code != 0
    assert ran.load.interrupted
    assert 0 < ran.load.scheduled == len(ran.table("requests")) < 1500


def test_two_workers_share_one_schedule(locust: Locust, target: str) -> None:
    bind, joining = addresses()
    traffic = ("--arrivals", "onoff", "--cv", "1")
    asked = ("--host", target, "--rate", "100", "--seconds", "1", "--seed", "4", *QUIET, *traffic)
    master, out = locust.start(
        "steady",
        *("--master", "--headless", "--only-summary", "--expect-workers", "2", *bind),
        *asked,
    )
    workers = [locust.start("steady", "--worker", *joining) for _ in range(2)]
    ran = locust.finish(master, out)
    for worker, worker_out in workers:
        assert locust.finish(worker, worker_out).code == 0
    alone = locust.run("steady", *asked)
    shared, whole = ran.table("requests"), alone.table("requests")
    assert shared.arrival.tolist() == whole.arrival.tolist()
    offsets_ns = [r.table("requests").due_ns - r.load.steps[0].from_ns for r in (ran, alone)]
    assert offsets_ns[0].tolist() == offsets_ns[1].tolist()
    assert shared.duration_ms.tolist() == whole.duration_ms.tolist()
    assert shared.duration_ms.nunique() > 50
    assert (shared.status == 202).all()
    assert (ran.load.arrivals, ran.load.cv) == ("onoff", 1.0)
    assert shared.task_id.is_unique
    assert not ran.load.interrupted


def test_the_web_interface_can_run_again_and_be_stopped(locust: Locust, target: str) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = ("--web-host", "127.0.0.1", "--web-port", str(port), "--host", target, *QUIET)
    process, out = locust.start("steady", *arguments)
    wait_until(lambda: answers(url))

    def runs() -> list[str]:
        return sorted(folder.name for folder in out.glob("*") if (folder / "load.json").exists())

    def state() -> str:
        return str(httpx.get(f"{url}/stats/requests").json()["state"])

    for count in (1, 2):
        assert httpx.post(f"{url}/swarm", data={"rate": "60", "seconds": "1"}).json()["success"]
        wait_until(lambda count=count: len(runs()) == count and state() == "stopped")  # type: ignore[misc]
    assert httpx.post(f"{url}/swarm", data={"seconds": "300"}).json()["success"]
    wait_until(lambda: state() == "running")
    httpx.post(f"{url}/stop")
    wait_until(lambda: len(runs()) == 3)
    process.send_signal(signal.SIGINT)
    stopped = locust.finish(process, out / runs()[-1])
    assert stopped.load.interrupted
    assert "/tasks" in stopped.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--rate", "0"), "--rate"),
        (("--kind", "nap"), "--kind"),
        (("--expect", "celery/tuned"), "not celery/tuned"),
        (("--expect-nonce", "other"), "another instance"),
    ],
)
def test_bad_input_gives_one_line_and_sends_no_load(
    locust: Locust, target: str, arguments: tuple[str, ...], message: str
) -> None:
    ran = locust.run("steady", "--host", target, *arguments)
    assert ran.code == 2
    assert sum(message in line for line in ran.output.splitlines()) == 1
    assert not (ran.out / "load.json").exists()


def test_a_closed_port_is_refused_with_advice(locust: Locust) -> None:
    ran = locust.run("steady", "--host", f"http://127.0.0.1:{free_port()}")
    assert ran.code == 2
    assert "blockpoint serve" in ran.output


def test_a_folder_that_holds_a_run_is_not_overwritten(locust: Locust, target: str) -> None:
    arguments = ("--host", target, "--rate", "30", "--seconds", "0.5", *QUIET)
    first = locust.run("steady", *arguments)
    before = (first.out / "load.json").read_bytes()
    again = locust.run("steady", *arguments, "--out", str(first.out))
    assert again.code == 2
    assert (first.out / "load.json").read_bytes() == before


def test_overload_ends_as_unknown_at_the_drains_limit(locust: Locust, target: str) -> None:
    """40 threads and 400 ms a task: /ping-sync cannot be answered before the drain's limit."""
    ran = locust.run(
        "steady",
        *("--host", target, "--rate", "300", "--seconds", "1", "--duration-ms", "400"),
        *("--drain-seconds", "0.2", "--bystander-rate", "100"),
    )
    bystanders = ran.table("bystanders")
    unknown = bystanders[bystanders.outcome == Outcome.UNKNOWN]
    assert ran.code == 1
    assert set(unknown.error) == {"drain limit"}
    assert (unknown.replied_ns == NEVER).all()
    assert any(reason.startswith("errors:") for reason in ran.load.reasons)


def test_without_a_timerfd_the_schedule_is_kept_all_the_same(locust: Locust, target: str) -> None:
    arguments = ("--headless", "--only-summary", "--host", target, "--rate", "100", "--seconds", "1", *QUIET)
    ran = locust.finish(*locust.start_without_timerfd(*arguments))
    requests = ran.table("requests")
    assert ran.load.timer == "sleep"
    assert ran.load.accepted == len(requests) == ran.load.scheduled > 50
    assert (requests.due_ns <= requests.sent_ns).all()


def test_a_target_that_goes_away_leaves_refused_rows(locust: Locust) -> None:
    with scripted("") as server:
        arguments = (
            "--headless",
            "--host",
            server.url,
            "--rate",
            "50",
            "--seconds",
            "6",
            "--bystander-rate",
        )
        process, out = locust.start("steady", *arguments, "5", "--drain-seconds", "1")
        wait_until(lambda: len(server.received) > 30)
    ran = locust.finish(process, out)
    requests = ran.table("requests")
    refused = requests[requests.outcome == Outcome.REFUSED]
    assert ran.code == 1
    assert len(refused) > 10
    assert "connection refused" in set(refused.error) <= {"connection refused", "connection reset"}
    accepted = requests[requests.outcome == Outcome.ACCEPTED]
    assert {f"{task_id:016x}" for task_id in accepted.task_id} <= set(server.received)
