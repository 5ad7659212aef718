"""What strategies put on a broker's wire is text without code in it, and workers take nothing else."""

import base64
import gzip
import json
import pathlib
import pickle
import secrets
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness.target.broker import free_port
from harness.target.cores import Pinning
from harness.target.declarations import declared, subject
from harness.target.environments import environment_of
from harness.target.ledgers import LedgerReader
from harness.target.processes import Child, Family, family
from harness.target.redis_broker import RedisBroker, embedded_redis
from results.schema import Subject
from results.terms import Moment
from targets.settings import Settings
from tests.harness.blockpoint import eventually
from tests.security.forged import forged_messages
from tests.security.pickles import found, layers
from tests.strategies import brokered

SETTINGS = Settings(slots=4, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)
GUARDED = [name for name in brokered("redis") if name[1] == "durable" and name[0] in ("celery", "arq", "saq")]
AS_SHIPPED = [name for name in brokered("redis") if name[0] in ("celery", "arq") and name not in GUARDED]
KEEPING_RESULTS = {
    ("celery", "default"): "celery-task-meta-",
    ("arq", "default"): "arq:result:",
    ("saq", "default"): "saq:job:default:",
    ("streaq", "default"): "streaq:default:task:results:",
    ("taskiq", "default"): "",
    ("rq", "default"): "rq:job:",
}
MESSAGES = {"saq": b"saq:job:", "streaq": b"streaq:default:task:data:", "huey": b"huey.redis."}
"""by strategy: how the keys begin under which its messages stand, as strings or in a list"""
REFUSALS = {
    "celery": "deserialize",
    "arq": "deserialize",
    "taskiq": "Cannot parse message",
    "saq": "",
    "streaq": "failed to deserialize",
    "huey": "Error reading from queue",
    "dramatiq": "Failed to decode message",
    "rq": "DeserializationError",
}
"""what a worker says that meets a pickle; SAQ's says nothing"""
HOLDING = [
    ("saq", "default"),
    ("saq", "tuned"),
    *(name for name in brokered("redis") if name[0] == "dramatiq"),
]
"""those whose queue holds for good what they cannot read: in SAQ's list `active`, in dramatiq's messages"""

FETCHING_TOGETHER = [name for name in HOLDING if name[0] == "dramatiq" and name[1] != "default"]
"""with one process for each queue, of which it is known what it fetches"""


class Touch:
    """An object whose pickle makes a file where it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return pathlib.Path.touch, (self.path,)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_the_detector_finds_a_pickle_however_it_is_wrapped(protocol: int, tmp_path: Path) -> None:
    for value in ({"t": 1, "f": "run", "a": ({"id": 5},), "k": {}}, Touch(tmp_path / "made")):
        plain = pickle.dumps(value, protocol)
        message = {"body": base64.b64encode(plain).decode(), "content-encoding": "base64"}
        nested = {"properties": [base64.b64encode(json.dumps(message).encode()).decode()]}
        for wrapped in (
            plain,
            base64.b64encode(plain),
            plain.hex().encode(),
            gzip.compress(plain),
            json.dumps(message).encode(),
            json.dumps(nested).encode(),
            json.dumps({"latin": plain.decode("latin-1")}).encode(),
        ):
            assert found(wrapped)
    assert protocol < 2 or found(b"arq:job:" + plain)


@pytest.mark.parametrize(
    "text", ["", "1763855195.25", "celery\x06\x16\x06\x16celery", "[]", '{"a": "a b."}', "x", '"TjAu"']
)
def test_the_detector_finds_none_in_text(text: str) -> None:
    assert not found(text.encode())


@dataclass
class Target:
    """A target whose processes are started one by one."""

    members: Family
    folder: Path
    broker: RedisBroker
    name: tuple[str, str]
    published: Any = None
    workers: list[Child] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        (self.folder / "ledger").mkdir()
        self.settings = replace(SETTINGS, redis_url=self.broker.url, ledger=self.folder / "ledger")
        self.reader = LedgerReader(self.folder / "ledger", self.subject.max_attempts)
        self.published = self.broker.client.pubsub()
        self.published.psubscribe("*")

    @property
    def subject(self) -> Subject:
        """What it declares."""
        return subject(*self.name, SETTINGS)

    def start_web(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._spawn("web", ["uvicorn", f"targets.app:{'_'.join(self.name)}", "--port", str(port)])
        assert eventually(self._answers), (self.folder / "web.log").read_text()

    def start_workers(self) -> None:
        for number, command in enumerate(declared(*self.name, SETTINGS).workers):
            self.workers.append(self._spawn(f"worker-{number}", command))

    def reset(self) -> None:
        """End the workers, forget what they said, and drop all but the web process's routes and groups."""
        while self.workers:
            worker = self.workers.pop()
            self.members.stop(worker, 0)
            worker.log.unlink()
        for key in self.broker.client.scan_iter():
            if self.broker.client.type(key) == b"stream":
                forget(self.broker.client, key)
            elif not key.startswith(b"_kombu.binding."):
                self.broker.client.delete(key)

    def submit(self, **body: Any) -> str:
        task_id = secrets.token_hex(8)
        answer = httpx.post(f"{self.url}/tasks", json={"task_id": task_id, **body}, timeout=60)
        assert answer.status_code == 202
        return task_id

    def reached(self, task_id: str, *moments: Moment) -> bool:
        events = self.reader.events()
        seen = set(events[events["task_id"] == int(task_id, 16)]["moment"].tolist())
        return bool(seen & set(moments))

    def refused(self) -> bool:
        """Return whether every worker has met a pickle: what it fetches with one may be held back."""
        refusal = REFUSALS[self.name[0]]
        return all(refusal in worker.log.read_text(errors="replace") for worker in self.workers)

    def logs(self) -> str:
        return "\n".join(worker.log.read_text(errors="replace") for worker in self.workers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def _spawn(self, role: str, command: list[str]) -> Child:
        log = self.folder / f"{role}.log"
        return self.members.spawn(
            role,
            [environment_of(self.name[0]).python, "-m", *command],
            log,
            self.settings.to_environment(),
            Pinning(),
        )

    def held(self) -> dict[bytes, list[bytes]]:
        """Return all that the broker holds: the members of every key, with the fields of hashes."""
        return {key: self._members(key) for key in self.broker.client.scan_iter()}

    def said(self) -> list[bytes]:
        """Return what was published to subscribers since the last call, with the channels' names."""
        messages = []
        while message := self.published.get_message(timeout=0.05):
            messages += [part for part in (message["channel"], message["data"]) if isinstance(part, bytes)]
        return messages

    def _members(self, key: bytes) -> list[bytes]:
        client = self.broker.client
        readers = {
            b"string": lambda: [client.get(key) or b""],
            b"list": lambda: client.lrange(key, 0, -1),
            b"set": lambda: list(client.smembers(key)),
            b"zset": lambda: client.zrange(key, 0, -1),
            b"hash": lambda: [part for pair in client.hgetall(key).items() for part in pair],
            b"stream": lambda: [
                part for _, entry in client.xrange(key) for pair in entry.items() for part in pair
            ],
            b"none": list,
        }
        return list(readers[client.type(key)]())


def forget(client: Any, stream: bytes) -> None:
    """Empty a stream but leave its consumer groups."""
    client.xtrim(stream, maxlen=0, approximate=False)
    for group in client.xinfo_groups(stream):
        client.xgroup_setid(stream, group["name"], "$")
        for consumer in client.xinfo_consumers(stream, group["name"]):
            client.xgroup_delconsumer(stream, group["name"], consumer["name"])


@pytest.fixture(scope="module", params=brokered("redis"), ids="/".join)
def serving(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    folder = tmp_path_factory.mktemp("target")
    with family() as members, embedded_redis(members, folder / "broker", Pinning()) as broker:
        made = Target(members, folder, broker, request.param)
        made.start_web()
        yield made


@pytest.fixture
def target(serving: Target) -> Iterator[Target]:
    """Give a target without workers whose broker holds no task."""
    yield serving
    serving.reset()


def assert_plain(blobs: list[bytes]) -> None:
    """Raise where a blob is neither text nor compressed text, or carries a pickle in any layer."""
    for blob in blobs:
        plain(blob).decode("utf-8")
        assert not found(blob), blob[:300]


def plain(blob: bytes) -> bytes:
    """Return what has been compressed, or the blob itself."""
    try:
        return zlib.decompress(blob)
    except zlib.error:
        return blob


def flat(held: dict[bytes, list[bytes]]) -> list[bytes]:
    return [blob for key, values in held.items() for blob in (key, *values)]


def naming(text: str, blobs: list[bytes]) -> list[bytes]:
    """Return the blobs in a layer of which the text stands: the proof that the layers were opened."""
    return [blob for blob in blobs if any(text.encode() in layer for layer in layers(blob))]


@pytest.mark.e2e
def test_waiting_tasks_are_plain_text(target: Target) -> None:
    mark = f"payload-{secrets.token_hex(4)}"
    for kind in ("sleep", "cpu"):
        for payload in (mark, f"{mark}<script>'\"&\n", f"{mark} é ☃"):
            target.submit(kind=kind, payload=payload)
    blobs = flat(target.held())
    assert len(naming(mark, blobs)) >= 6
    assert_plain(blobs)
    assert_plain(target.said())
    target.broker.client.set("a:neighbour:s", pickle.dumps({"id": 5}))
    with pytest.raises((AssertionError, UnicodeDecodeError)):
        assert_plain(flat(target.held()))


@pytest.mark.e2e
def test_tasks_in_progress_and_results_are_plain_text(target: Target) -> None:
    target.start_workers()
    mark = f"payload-{secrets.token_hex(4)}"
    first, *others = [target.submit(duration_ms=800, payload=mark) for _ in range(3 * SETTINGS.slots)]
    failing = target.submit(duration_ms=1, fail_first=10, payload=mark)
    assert eventually(lambda: target.reached(first, Moment.STARTED)), target.logs()
    during = flat(target.held())
    assert naming(mark, during)
    assert_plain(during)
    for task_id in (first, *others):
        assert eventually(lambda task_id=task_id: target.reached(task_id, Moment.FINISHED)), target.logs()
    assert eventually(lambda: target.reached(failing, Moment.FAILED)), target.logs()
    prefix = KEEPING_RESULTS.get(target.name)
    if prefix is not None:
        wanted = {f"{prefix}{task_id}".encode() for task_id in (first, failing)}
        assert eventually(lambda: wanted <= target.held().keys())
    after = flat(target.held())
    assert_plain(after)
    assert_plain(target.said())


@pytest.mark.e2e
def test_a_pickled_message_is_never_loaded_and_the_worker_survives(target: Target, tmp_path: Path) -> None:
    made, control = tmp_path / "made", tmp_path / "control"
    pickle.loads(pickle.dumps(Touch(control)))
    assert control.exists()
    planted = plant(target, Touch(made))
    target.start_workers()
    assert eventually(target.refused), target.logs()
    for kind in ("sleep", "cpu"):
        task_id = target.submit(kind=kind, duration_ms=1)
        assert eventually(lambda task_id=task_id: target.reached(task_id, Moment.FINISHED)), target.logs()
    left = planted if target.name in HOLDING else 0
    assert eventually(lambda: target.broker.depth(target.subject.queues) == left), target.held()
    assert all(worker.running for worker in target.workers)
    assert not made.exists()


@pytest.mark.e2e
@pytest.mark.parametrize("serving", FETCHING_TOGETHER, indirect=True, ids="/".join)
def test_dramatiq_holds_back_what_it_fetched_with_an_unreadable_message(
    target: Target, tmp_path: Path
) -> None:
    plant(target, Touch(tmp_path / "made"))
    beside = target.submit(duration_ms=1)
    target.start_workers()
    assert eventually(target.refused), target.logs()
    after = target.submit(duration_ms=1)
    assert eventually(lambda: target.reached(after, Moment.FINISHED)), target.logs()
    assert not target.reached(beside, Moment.STARTED)
    held = target.held()
    assert any(key.endswith(b".waiting") and len(ids) == 2 for key, ids in held.items() if b"__acks__" in key)


def plant(target: Target, evil: object) -> int:
    """Put pickles into every queue, in the place of messages from the web process; return how many."""
    client = target.broker.client
    for kind in ("sleep", "cpu"):
        target.submit(kind=kind)
    waiting = target.broker.depth(target.subject.queues)
    planted = [key.decode() for key in target.held() if key.decode() in target.subject.queues]
    for name in planted:
        PLANT[target.name[0]](client, name, evil)
    assert planted
    return waiting


def plant_in_celery(client: Any, queue: str, evil: object) -> None:
    message = json.loads(client.lindex(queue, 0))
    client.delete(queue)
    message["content-type"] = "application/x-python-serialize"
    message["content-encoding"] = "binary"
    message["body"] = base64.b64encode(pickle.dumps(((evil,), {}, {}))).decode()
    client.lpush(queue, json.dumps(message))


def plant_in_arq(client: Any, queue: str, evil: object) -> None:
    for task_id in client.zrange(queue, 0, -1):
        client.set(b"arq:job:" + task_id, pickle.dumps({"t": 1, "f": "run", "a": (evil,), "k": {}, "et": 1}))


def plant_in_taskiq(client: Any, queue: str, evil: object) -> None:
    if client.type(queue) == b"stream":
        client.xadd(queue, {"data": pickle.dumps(evil)})
    else:
        client.lset(queue, 0, pickle.dumps(evil))


def plant_in_saq(client: Any, queue: str, evil: object) -> None:
    for job_id in client.lrange(queue, 0, -1):
        client.set(job_id, pickle.dumps(evil))


def plant_in_streaq(client: Any, queue: str, evil: object) -> None:
    assert client.xlen(queue)
    for key in client.scan_iter(match="streaq:default:task:data:*"):
        client.set(key, pickle.dumps(evil))


def plant_in_huey(client: Any, queue: str, evil: object) -> None:
    client.lset(queue, 0, pickle.dumps(evil))


def plant_in_dramatiq(client: Any, queue: str, evil: object) -> None:
    for message_id in client.hkeys(queue):
        client.hset(queue, message_id, pickle.dumps(evil))


def plant_in_rq(client: Any, queue: str, evil: object) -> None:
    for job_id in client.lrange(queue, 0, -1):
        client.hset(b"rq:job:" + job_id, "data", zlib.compress(pickle.dumps(evil)))


PLANT: dict[str, Callable[[Any, str, object], None]] = {
    "celery": plant_in_celery,
    "arq": plant_in_arq,
    "taskiq": plant_in_taskiq,
    "saq": plant_in_saq,
    "streaq": plant_in_streaq,
    "huey": plant_in_huey,
    "dramatiq": plant_in_dramatiq,
    "rq": plant_in_rq,
}


FORGED_JOBS: list[dict[str, Any]] = [{"f": ["run"]}, {"t": "x"}, {"et": "x"}, {"a": 5}, {"k": [1]}]


FORGED_SAQ_JOBS = [
    b"\xff",
    b"5",
    *(
        json.dumps({"queue": "default", "function": "run", "key": "k", **fields}).encode()
        for fields in ({"queue": "another"}, {"kwargs": 5}, {"attempts": "x"}, {"status": "x"}, {"x": 1}, {})
    ),
]


def forge(target: Target) -> None:
    """Put what no client of ours would send into every queue, and into what waits for its acknowledgement."""
    client = target.broker.client
    if target.name[0] == "celery":
        for queue in target.subject.queues:
            if queue != "unacked":
                client.rpush(queue, *forged_messages(queue))
        for number, blob in enumerate(
            (b"garbage", b"5", b"[5, 5]", b"[5, 5, 5]", *forged_messages("waiting"))
        ):
            client.hset("unacked", f"forged-{number}", blob)
            client.zadd("unacked_index", {f"forged-{number}": 1.0})
        return
    if target.name[0] == "saq":
        for number, blob in enumerate(FORGED_SAQ_JOBS):
            client.set(f"saq:job:default:forged-{number}", blob)
            client.rpush("saq:default:queued", f"saq:job:default:forged-{number}")
        client.rpush("saq:default:queued", b"\xff\xfe")
        return
    for number, fields in enumerate(FORGED_JOBS):
        client.set(
            f"arq:job:forged-{number}",
            json.dumps({"t": None, "f": "run", "a": [], "k": {}, "et": 1, **fields}),
        )
        client.zadd("arq:queue", {f"forged-{number}": 1.0})
    client.set("arq:job:forged", b"\xff")
    client.zadd("arq:queue", {"forged": 1.0, b"\xff\xfe": 2.0, "lowest": "-inf", "nobody": 4.0})


@pytest.mark.e2e
@pytest.mark.parametrize("serving", GUARDED, indirect=True, ids="/".join)
def test_durable_workers_refuse_what_is_forged_and_go_on(target: Target) -> None:
    forge(target)
    target.start_workers()
    for kind in ("sleep", "cpu"):
        task_id = target.submit(kind=kind, duration_ms=1)
        assert eventually(lambda task_id=task_id: target.reached(task_id, Moment.FINISHED), 40), target.logs()
    ignored = {b"lowest"} if target.name[0] == "arq" else set()

    def left() -> set[bytes]:
        held = target.held()
        return {member for queue in target.subject.queues for member in held.get(queue.encode(), [])}

    assert eventually(lambda: left() == ignored), left()
    assert "dropped" in target.logs()
    assert "supervisor: the worker exited" not in target.logs()


@pytest.mark.e2e
@pytest.mark.parametrize("serving", AS_SHIPPED, indirect=True, ids="/".join)
def test_other_workers_end_as_their_libraries_do(target: Target) -> None:
    queue, entry = target.subject.queues[0], b"\xff\xfe"
    if target.name[0] == "celery":
        target.broker.client.rpush(queue, entry)
    else:
        target.broker.client.zadd(queue, {entry: 1.0})
    target.start_workers()
    assert eventually(lambda: not target.workers[0].running, 40), target.logs()
