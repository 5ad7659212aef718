"""How a run begins and ends by itself: headless, in the web UI and distributed alike."""

import math
import time
from typing import Any

from locust import LoadTestShape

from loadtests.openloop.coordinator import Coordinator
from results.errors import BlockpointError


class UntilDrained(LoadTestShape):
    """One user per worker process, until the schedule has been walked and its answers are in.

    A closed loop has as many users as `--users` says.

    Locust calls `tick` about once a second; here the first call checks and begins, the others wait. A
    `--run-time` shorter than the schedule is an interruption: what was measured is kept.
    """

    use_common_options = True

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users to have now, or None at the end."""
        runner: Any = self.runner
        coordinator: Coordinator = runner.environment.blockpoint
        if runner.shape_last_tick is None:
            try:
                workers = coordinator.open()
            except BlockpointError as error:
                coordinator.refuse(error)
                return None
            if not workers:
                return None
            self._began_s = time.monotonic()
            users = coordinator.users if coordinator.scenario.closed else workers
            self._users = (users, float(users))
            return self._users
        if coordinator.wait(1.0) or coordinator.overdue():
            coordinator.close()
            return None
        longest_s = min(runner.environment.parsed_options.run_time or math.inf, coordinator.longest_s())
        if time.monotonic() - self._began_s > longest_s or coordinator.lost_worker():
            coordinator.interrupt()
        return self._users
