"""How the end of a service's tasks is seen: by its callbacks, and by looks at its tasks."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import numpy as np
import pytest

from blockpoint.observe import Moments
from harness.service import completions
from harness.service.completions import await_recorded
from harness.service.declaration import CompletionsSection
from harness.service.follower import Follower
from harness.service.journal import Noted, Order
from harness.service.listener import MOST_BYTES, Listener
from harness.service.measurement import seen_of
from harness.service.webhook import Webhook, host_and_port
from harness.target.ledgers import LedgerReader
from results.columns import LEDGER_RECORD
from results.errors import BlockpointError
from results.ledger_file import read_ledger
from results.service import Asked, Request
from results.terms import Moment, Outcome
from tests.loadtests.recording import recording

ONE, TWO, THREE = 0xA1, 0xA2, 0xA3


def order(
    folder: Path, completions: CompletionsSection, url: str = "http://127.0.0.1:1", listen: str = ""
) -> Order:
    return Order(Asked(name="orders", url=url, submit=[Request()]), completions, str(folder), listen)


def recorded(listener: Listener) -> Counter[tuple[int, Moment]]:
    (file,) = Path(listener.order.ledger).glob("ledger-*.bin")
    rows = read_ledger(file, 0)
    return Counter((int(row["task_id"]), Moment(int(row["moment"]))) for row in rows)


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    completions = CompletionsSection(source="webhook", field="state", equals=["done", "ok"], failed="failed")
    with Listener(order(tmp_path, completions, listen=Webhook.of(completions).listen)) as found:
        serving = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield found
        found.shutdown()
        serving.join()


def calling(listener: Listener, path: str, body: bytes = b"", method: str = "POST", **headers: str) -> int:
    connection = http.client.HTTPConnection(*listener.server_address[:2], timeout=5)  # type: ignore[arg-type]
    try:
        connection.request(
            method, path, body, {name.replace("_", "-"): value for name, value in headers.items()}
        )
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "body", "status", "moments"),
    [
        ("/00000000000000a1", b"", 204, [Moment.FINISHED]),
        ("/hooks/00000000000000a1?from=us", b'{"anything": 1}', 204, [Moment.FINISHED]),
        ("/00000000000000a1", b'{"state": "ok"}', 204, [Moment.FINISHED]),
        ("/00000000000000a1", b'{"state": "failed"}', 204, [Moment.FAILED]),
        ("/00000000000000a1", b'{"state": "half of it"}', 204, []),
        ("/00000000000000a1", b"state=done", 400, []),
        ("/00000000000000a1", b"[" * 100_000, 400, []),
        ("/00000000000000a1", b"\xff\xfe", 400, []),
        ("/a1", b"", 404, []),
        ("/", b"", 404, []),
    ],
)
def test_a_callback_says_how_a_task_has_ended(
    path: str, body: bytes, status: int, moments: list[Moment], listener: Listener
) -> None:
    assert calling(listener, path, body) == status
    assert calling(listener, f"/{TWO:016x}") == HTTPStatus.NO_CONTENT
    assert recorded(listener) == Counter([(TWO, Moment.FINISHED), *((ONE, moment) for moment in moments)])


def test_no_callback_stops_the_listener(listener: Listener, capfd: pytest.CaptureFixture[str]) -> None:
    path = f"/{ONE:016x}"
    assert calling(listener, path, method="GET") == HTTPStatus.NOT_IMPLEMENTED
    assert calling(listener, path, Content_Length=str(MOST_BYTES + 1)) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert calling(listener, path, Content_Length="many") == HTTPStatus.BAD_REQUEST
    assert calling(listener, path, Transfer_Encoding="chunked") == HTTPStatus.LENGTH_REQUIRED
    for _ in range(10):
        assert calling(listener, "/nothing") == HTTPStatus.NOT_FOUND
    assert calling(listener, path, method="PUT") == HTTPStatus.NO_CONTENT
    assert recorded(listener) == {(ONE, Moment.FINISHED): 1}
    said = capfd.readouterr().out
    assert said.count("the path has to end with a task's id") == 2
    assert "callbacks refused: 10:" in said


def test_what_came_back_is_held_against_what_was_sent() -> None:
    events = np.array(
        [
            (task, 1, 1, 1, moment, 0)
            for task, moment in [
                (ONE, Moment.FINISHED),  # before its request was answered
                (ONE, Moment.ACCEPTED),
                (ONE, Moment.FINISHED),
                (TWO, Moment.ACCEPTED),
                (TWO, Moment.FAILED),
                (THREE, Moment.ACCEPTED),
                (0xB0, Moment.FINISHED),
                (0xC0, Moment.FINISHED),
            ]
        ],
        LEDGER_RECORD,
    )
    sent = np.array([ONE, TWO, THREE, 0xB0], np.uint64)
    outcome = np.array([*[Outcome.ACCEPTED] * 3, Outcome.UNKNOWN])
    found = seen_of(sent, outcome, events)
    assert (found.accepted, found.finished, found.failed, found.unaccounted) == (3, 1, 1, 1)
    assert (found.finished_twice, found.ran_unaccepted, found.strangers) == (1, 1, 1)


def test_it_listens_where_it_is_told_and_names_what_reaches_it() -> None:
    plain = Webhook.of(CompletionsSection(source="webhook"))
    assert host_and_port(plain.listen)[0] == "127.0.0.1"
    assert plain.url == f"http://{plain.listen}"
    behind = CompletionsSection(
        source="webhook", listen="0.0.0.0:9000", webhook="https://hooks.example.org/in/"
    )
    assert Webhook.of(behind).url == "https://hooks.example.org/in"
    with pytest.raises(BlockpointError, match="say by which URL the service reaches it"):
        Webhook.of(CompletionsSection(source="webhook", listen="0.0.0.0:9000"))


def test_tasks_that_never_end_keep_no_other_from_being_looked_at(tmp_path: Path) -> None:
    tasks = 31
    with recording({}, otherwise=404) as found:
        completions = CompletionsSection(source="poll", path="/{id}", every=0.001, most_per_s=1000)
        follower = Follower(order(tmp_path, completions, found.url))
        for number in range(tasks):
            follower.take(Noted(number, 1, {}))
        while len(found.asked) < 3 * tasks:
            follower.look()
        follower._asking.close()
        looks = Counter(path for path, _ in found.asked)
    assert len(looks) == tasks
    assert looks[f"/{0:016x}"] >= max(looks.values())


RUN = [Moment.STARTED, Moment.FINISHED]


@pytest.mark.parametrize(
    ("moments", "said"),
    [
        ([], "nothing .*the service needs `app.add_middleware.observe.Requests.`.* and `observe.observed`"),
        ([Moment.RECEIVED, Moment.ACCEPTED], "only .*: received, accepted; the service needs `observe.obs"),
        ([Moment.RECEIVED, Moment.ACCEPTED, Moment.STARTED], "only .* 0 s: received, accepted, started$"),
        (RUN, "started, finished was recorded, and not that it was accepted: .*`app.add_middleware"),
    ],
    ids=["nothing", "no decorator", "still runs", "no middleware"],
)
def test_what_a_service_has_to_add_that_records_only_a_part_is_said(
    moments: list[Moment], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("NOT_RECORDED_LIMIT_S", "FIRST_LIMIT_S", "ACCEPTED_LIMIT_S"):
        monkeypatch.setattr(completions, limit, 0.1)
    reader = LedgerReader(tmp_path, 1)
    ledger = Moments(tmp_path)
    for moment in moments:
        ledger.record(ONE, moment, 1)
    with pytest.raises(BlockpointError, match=said):
        await_recorded(reader, ONE, lambda: None)


@pytest.mark.parametrize("end", [Moment.FINISHED, Moment.FAILED])
def test_a_task_that_is_recorded_from_its_acceptance_to_its_end_is_enough(
    end: Moment, tmp_path: Path
) -> None:
    reader, ledger = LedgerReader(tmp_path, 1), Moments(tmp_path)
    for moment in (Moment.STARTED, end, Moment.ACCEPTED):
        ledger.record(ONE, moment, 1)
    await_recorded(reader, ONE, lambda: None)
