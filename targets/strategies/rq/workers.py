"""RQ's worker with the settings that its command line has no options for."""

import os
from typing import Any

from rq.job import Job
from rq.worker import Worker

from targets.settings import Settings
from targets.strategies.rq import jobs as jobs  # noqa: PLC0414 -- before the forks, which would each import it
from targets.supervisor import die_with

DURABLE_HIDDEN_S = 30.0
LOOK_S = 5
TTL_BEYOND_LOOK_S = 15
"""RQ waits for a job for so much less than its `worker_ttl`"""


def hidden_s(settings: Settings) -> float:
    """Return how long after a worker's last sign of life its job is taken back."""
    return max(1.0, settings.visibility_s or DURABLE_HIDDEN_S)


class DurableWorker(Worker):
    """Gives signs of life and looks for abandoned jobs more often than RQ's own, and leaves no orphan."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._hidden_s = int(hidden_s(Settings.from_environment()))
        options |= {
            "worker_ttl": LOOK_S + TTL_BEYOND_LOOK_S,
            "maintenance_interval": LOOK_S,
            "job_monitoring_interval": max(1, self._hidden_s // 3),
        }
        super().__init__(*arguments, **options)

    def get_heartbeat_ttl(self, job: Job, working_time: float = 0.0) -> int:  # noqa: ARG002
        """Return for how long a sign of life holds: RQ's own is a minute more than the time between two."""
        return self._hidden_s

    def bootstrap(self, *arguments: Any) -> None:
        """Tie this worker to its pool, and what it forks to itself: the processes of jobs, and a scheduler.

        A scheduler that outlived its worker would keep its connection open, and Redis would hand the next job
        to a worker that is gone.
        """
        die_with(os.getppid())
        os.register_at_fork(after_in_child=lambda: die_with(os.getppid()))
        super().bootstrap(*arguments)
