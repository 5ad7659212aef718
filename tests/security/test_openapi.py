"""Whatever a client sends, a target answers as its OpenAPI document says, never with a fault of its own."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
import schemathesis
from pydantic import BaseModel, ValidationError

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.target import Launch, Target, running_target
from targets.app import create_app
from targets.registry import find
from targets.settings import Settings
from targets.strategies import threadpool
from targets.strategy import QueueFullError
from targets.task import Registration, TaskRequest

EXAMPLES = 25
SETTINGS = Settings(slots=4, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)
MODELS: dict[str, type[BaseModel]] = {"/tasks": TaskRequest, "/users/register": Registration}


def document(strategy: str, variant: str = "default", *, here: bool = True) -> Any:
    """Return a target's document; where it is `here`, calls reach the application without a socket."""
    app = create_app(find(strategy), variant, SETTINGS)
    settings = {"generation": {"max-examples": EXAMPLES, "deterministic": True, "database": "none"}}
    schema = schemathesis.openapi.from_dict(app.openapi(), config=schemathesis.Config.from_dict(settings))
    if here:
        schema.app = app
    return schema


def shortened(case: schemathesis.Case) -> schemathesis.Case:
    """Make a valid task short and let it succeed; whatever is invalid travels as it was generated.

    Fuzzing then never waits for a minute's sleep, and no bound is moved: validity is decided before.
    """
    model = MODELS.get(case.path)
    if model is None or not isinstance(case.body, dict):
        return case
    try:
        valid = model.model_validate_json(json.dumps(case.body))
    except ValidationError:
        return case
    for field, most in (("duration_ms", 1), ("fail_first", 0)):
        if getattr(valid, field, 0) > most:
            case.body[field] = most
    return case


def check(case: schemathesis.Case, **where: str) -> None:
    """Send the case, and raise where the answer is a fault of the server's or contradicts its document."""
    shortened(case).call_and_validate(**where)


@document("inline").parametrize()
def test_inline_answers_as_documented(case: schemathesis.Case) -> None:
    check(case)


@document("background_tasks").parametrize()
def test_background_tasks_answer_as_documented(case: schemathesis.Case) -> None:
    check(case)


@document("threadpool", "tuned").parametrize()
def test_a_thread_pool_answers_as_documented(case: schemathesis.Case) -> None:
    check(case)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with family() as members:
        launch = Launch(members, Pinning(), SETTINGS)
        with running_target(launch, "celery", "tuned", tmp_path_factory.mktemp("logs")) as running:
            yield running


@pytest.mark.e2e
@document("celery", "tuned", here=False).parametrize()
def test_a_target_with_a_broker_answers_as_documented(case: schemathesis.Case, target: Target) -> None:
    check(case, base_url=target.url)
    target.check()


async def answers(bodies: list[bytes], path: str = "/tasks") -> list[httpx.Response]:
    """Return what a target with one thread and room for 25 more tasks answers to these, sent together."""
    settings = replace(SETTINGS, slots=1)
    app = create_app(find("threadpool"), "tuned", settings)
    headers = {"content-type": "application/json"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://target") as client,
    ):
        posts = (client.post(path, content=body, headers=headers) for body in bodies)
        return list(await asyncio.gather(*posts))


def documented(path: str, method: str = "post") -> dict[str, Any]:
    """Return the responses that the document lists for an endpoint."""
    responses: dict[str, Any] = create_app(find("threadpool"), "tuned", SETTINGS).openapi()["paths"][path]
    return dict(responses[method]["responses"])


def test_a_full_queue_is_refused_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    """No task ends before one was refused: how long forty answers take, nobody knows."""
    refused = threading.Event()
    refuse = QueueFullError.__init__

    def noted(error: QueueFullError, *given: object) -> None:
        refused.set()
        refuse(error, *given)

    monkeypatch.setattr(threadpool, "perform", lambda _: refused.wait(60))
    monkeypatch.setattr(QueueFullError, "__init__", noted)
    bodies = [json.dumps({"task_id": f"{n:016x}"}).encode() for n in range(40)]
    statuses = {answer.status_code for answer in asyncio.run(answers(bodies))}
    assert statuses == {202, 503}
    assert {str(status) for status in statuses} <= documented("/tasks").keys()


UNREADABLE = (b"[" * 100_000, b'{"task_id": ' + b"9" * 5000 + b"}")


@pytest.mark.parametrize("body", UNREADABLE, ids=("deep", "long number"))
@pytest.mark.parametrize("path", ["/tasks", "/users/register"])
def test_a_body_that_no_parser_takes_is_refused_as_documented(path: str, body: bytes) -> None:
    (answer,) = asyncio.run(answers([body], path))
    assert 400 <= answer.status_code < 500
    assert str(answer.status_code) in documented(path)


@pytest.mark.parametrize("field", ["duration_ms", "fail_first"])
@pytest.mark.parametrize("value", [True, "1"])
def test_a_number_is_a_number(field: str, value: object) -> None:
    body = json.dumps({"task_id": "00000000000000a4", field: value}).encode()
    assert [answer.status_code for answer in asyncio.run(answers([body]))] == [422]


def test_patterns_mean_the_same_to_every_reader() -> None:
    schemas = create_app(find("threadpool"), "tuned", SETTINGS).openapi()["components"]["schemas"]
    patterns = [
        field.get("pattern", "") for schema in schemas.values() for field in schema["properties"].values()
    ]
    assert any(patterns)
    assert not any(re.search(r"\\[swdb]", pattern, re.IGNORECASE) for pattern in patterns)


def test_metrics_are_documented_as_text() -> None:
    assert list(documented("/metrics", "get")["200"]["content"]) == ["text/plain"]


@pytest.mark.parametrize(
    "body", [{f"k{n}": 1 for n in range(5_000)}, {"k" * 100_000: 1}], ids=["many", "long"]
)
def test_a_refusal_does_not_grow_with_the_request(body: dict[str, int]) -> None:
    (answer,) = asyncio.run(answers([json.dumps(body).encode()]))
    assert answer.status_code in (413, 422)
    assert len(answer.content) < 10_000
