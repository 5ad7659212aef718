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

    One `tick` lasts the whole run: between two of them Locust sleeps by the wall clock, and where that is
    set back the sleep is as long as the step. A `--run-time` shorter than the schedule is an interruption:
    what was measured is kept.
    """

    use_common_options = True

    def tick(self) -> None:
        """Check and begin, wait for the end, and close."""
        runner: Any = self.runner
        coordinator: Coordinator = runner.environment.blockpoint
        try:
            workers = coordinator.open()
        except BlockpointError as error:
            coordinator.refuse(error)
            return
        if not workers:
            return
        began_s = time.monotonic()
        users = coordinator.users if coordinator.scenario.closed else workers
        runner.start(users, spawn_rate=users)
        while not (coordinator.wait(1.0) or coordinator.overdue()):
            longest_s = min(runner.environment.parsed_options.run_time or math.inf, coordinator.longest_s())
            if time.monotonic() - began_s > longest_s or coordinator.lost_worker():
                coordinator.interrupt()
        coordinator.close()
