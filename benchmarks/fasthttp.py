"""Locust's FastHttpUser as its manual shows it, as fast as it goes: what the open loop is compared with."""

from locust import FastHttpUser, task

TASK = {"task_id": "0" * 16, "kind": "sleep", "duration_ms": 0, "payload": "", "fail_first": 0}
OBSERVED = {"x-blockpoint-id": "0" * 16}


class Plain(FastHttpUser):
    """Sends the next request as soon as the answer is there."""

    @task
    def submit(self) -> None:
        """Submit one task."""
        self.client.post("/tasks", json=TASK, headers=OBSERVED)
