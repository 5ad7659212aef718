import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.target.broker import Broker, embedded_broker, free_port
from harness.target.cores import Pinning
from harness.target.processes import Family
from targets.operators.operator import IN_GENERAL, OF_A_TASK, Reply, operator_of, put, timed
from targets.strategy import discover

TASK_ID = "00000000000000a4"
WITH_INTERFACES = {"celery", "arq"}


def shell(*arguments: str, redis_url: str = "") -> "subprocess.CompletedProcess[str]":
    """Ask as an operator does, in a process of its own."""
    command = [sys.executable, "-m", "targets.operators", *arguments]
    environ = {**os.environ, "BLOCKPOINT_REDIS_URL": redis_url}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)


def answers(*arguments: str, redis_url: str) -> dict[tuple[str, str], Any]:
    """Return words and meaning by question and interface."""
    asked = shell(*arguments, redis_url=redis_url)
    assert asked.returncode == 0, asked.stderr
    assert asked.stderr == ""
    return {
        (reply["question"], reply["interface"]): (reply["words"], reply["meaning"])
        for reply in json.loads(asked.stdout)
    }


@pytest.fixture
def broker(members: Family, tmp_path: Path) -> Iterator[Broker]:
    with embedded_broker(members, tmp_path, Pinning()) as made:
        yield made


@pytest.mark.parametrize("strategy", sorted(set(discover()) - WITH_INTERFACES))
def test_a_strategy_without_interfaces_answers_nothing(strategy: str) -> None:
    operator = operator_of(strategy, "default")
    for question in (*IN_GENERAL, *(f"{name}={TASK_ID}" for name in OF_A_TASK)):
        name, _, task_id = question.partition("=")
        assert put(operator, question) == [Reply(question=name, task_id=task_id)]


def test_what_an_interface_refuses_is_told_in_one_line_and_means_nothing() -> None:
    def refuse() -> tuple[str, str]:
        raise NotImplementedError("no\n  backend")

    interface, said, took_ms = timed("AsyncResult.state", refuse, NotImplementedError)
    assert (interface, said) == ("AsyncResult.state", ("NotImplementedError: no backend", ""))
    assert took_ms >= 0
    with pytest.raises(NotImplementedError):
        timed("AsyncResult.state", refuse, KeyError)


@pytest.mark.parametrize("strategy", sorted(WITH_INTERFACES))
def test_a_broker_that_is_gone_is_said_in_one_line(strategy: str) -> None:
    asked = shell(strategy, "default", "depth", redis_url=f"redis://127.0.0.1:{free_port()}/0")
    assert (asked.returncode, asked.stdout) == (1, "")
    assert "does not answer" in asked.stderr
    assert asked.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("celery", "default", "mood"), "no question 'mood'"),
        (("celery", "default", "state"), "no question 'state'"),
        (("celery", "default", "state=12"), "no question 'state=12'"),
        (("celery", "default", "depth=00000000000000a4"), "no question"),
        (("celery", "default"), "required: QUESTION"),
        (("cellery", "default", "depth"), "did you mean 'celery'?"),
        (("celery", "turned", "depth"), "did you mean 'tuned'?"),
    ],
)
def test_bad_input_is_refused(arguments: tuple[str, ...], reason: str) -> None:
    asked = shell(*arguments)
    assert asked.returncode in (1, 2)
    assert asked.stdout == ""
    assert reason in asked.stderr
    assert "Traceback" not in asked.stderr


def test_celery_without_a_worker(broker: Broker) -> None:
    broker.client.rpush("celery", "one", "two")
    broker.client.hset("unacked", "tag", "three")
    said = answers(
        "celery",
        "default",
        "depth",
        "workers",
        f"state={TASK_ID}",
        f"runner={TASK_ID}",
        redis_url=broker.url,
    )
    assert said == {
        ("depth", "LLEN of the queue"): ("2", "2"),
        ("depth", "LLEN of the queue + HLEN unacked"): ("3", "3"),
        ("depth", "inspect reserved"): ("", ""),
        ("workers", "inspect ping"): ("no reply", "no"),
        ("state", "AsyncResult.state"): ("PENDING", "waiting"),
        ("state", "inspect active, reserved"): ("", ""),
        ("runner", "inspect active"): ("", ""),
    }


def test_celery_without_a_result_backend_refuses(broker: Broker) -> None:
    said = answers("celery", "tuned", f"reason={TASK_ID}", redis_url=broker.url)
    words, meaning = said["reason", "AsyncResult.result"]
    assert "Error: " in words
    assert meaning == ""


def test_arq_without_a_worker(broker: Broker) -> None:
    job = json.dumps({"t": None, "f": "run", "a": [], "k": {}, "et": 1})
    broker.client.set(f"arq:job:{TASK_ID}", job)
    broker.client.zadd("arq:queue", {TASK_ID: 1})
    said = answers("arq", "default", "depth", "workers", "failures", f"state={TASK_ID}", redis_url=broker.url)
    assert said == {
        ("depth", "ArqRedis.queued_jobs"): ("1", "1"),
        ("depth", "ZCARD arq:queue - keys arq:in-progress:*"): ("1", "1"),
        ("depth", "key arq:queue:health-check"): ("", ""),
        ("workers", "arq --check"): ("no key", "no"),
        ("failures", "ArqRedis.all_job_results"): ("", ""),
        ("failures", "key arq:queue:health-check"): ("", ""),
        ("state", "Job.status, result_info"): ("queued", "waiting"),
    }
    never = answers("arq", "default", "state=00000000000000a5", redis_url=broker.url)
    assert never == {("state", "Job.status, result_info"): ("not_found", "unheard of")}
