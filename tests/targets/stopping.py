"""What a target's tasks come to when its web process is told to end."""

import secrets
import signal
from pathlib import Path

import httpx

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.target import Launch, Target, running_target
from results.terms import Moment
from results.waiting import wait_until
from targets.settings import Settings

LIMIT_S = 30.0


def submit(target: Target, count: int, duration_ms: float) -> list[int]:
    """Submit tasks one after the other; returns their ids."""
    ids = [secrets.randbits(63) for _ in range(count)]
    with httpx.Client(base_url=target.url, timeout=LIMIT_S) as client:
        for task_id in ids:
            body = {"task_id": f"{task_id:016x}", "duration_ms": duration_ms}
            assert client.post("/tasks", json=body).status_code == 202
    return ids


def ended_by_sigterm(subject: str, logs: Path, settings: Settings, duration_ms: float = 2000) -> list[Moment]:
    """Return the last moment of each of 6 tasks, of which one has started when SIGTERM comes."""
    strategy, variant = subject.split("/")
    with (
        family() as members,
        running_target(Launch(members, Pinning(), settings), strategy, variant, logs) as up,
    ):
        reader = up.reader()
        ids = submit(up, 6, duration_ms)
        assert wait_until(lambda: bool(reader.running()), LIMIT_S)
        web = up.web[0].process
        web.send_signal(signal.SIGTERM)
        web.wait(LIMIT_S)
        return [max(moment for moment, count in reader.moments(task_id).items() if count) for task_id in ids]
