"""Locust workers that send nothing and report what they would have measured: a master cannot tell.

    python -m benchmarks.simulated_workers PORT WORKERS

Each follows its order at once, and its rows say that every request was sent 0.05 ms after it was due and
answered 1 ms later. Prints one line a worker once it has reported: the monotonic nanoseconds.
"""

import sys
import time
from typing import Any

import gevent
import locust
import numpy as np
from locust.rpc import Message, zmqrpc

from loadtests.openloop.asking import ANSWER, QUESTION
from loadtests.openloop.coordinator import ACCEPTED, ORDER, REPORT
from loadtests.openloop.crew import PIECE_ROWS
from loadtests.openloop.options import LoadSettings
from loadtests.openloop.recorder import Recorder, Rows
from loadtests.openloop.scenario import one_step, traffic
from loadtests.openloop.schedule import NS_PER_S, Schedule, plan
from results.clock import boot_id
from results.terms import Outcome, Stream

HEARTBEAT_S = 0.5
USER = "Steady"
_PLANNED: list[Schedule] = []
"""by the first worker for all of them"""


class SimulatedWorker:
    """One connection to the master."""

    def __init__(self, port: int, number: int) -> None:
        self._name = f"simulated_{number}"
        self._client = zmqrpc.Client("127.0.0.1", port, self._name)  # type: ignore[no-untyped-call]
        self._state = "ready"
        self._order: dict[str, Any] = {}
        self._rows: Rows = {}

    def work(self) -> None:
        """Answer the master until it says that all is over."""
        self._tell("client_ready", locust.__version__)
        gevent.spawn(self._beat)
        while (message := self._client.recv()).type != "quit":  # type: ignore[no-untyped-call]
            self._heed(message)

    def _heed(self, message: Any) -> None:
        if message.type == ORDER:
            self._order = message.data
            self._tell(ACCEPTED, message.data["index"])
        elif message.type == QUESTION:
            number, about, given = message.data
            self._tell(ANSWER, [number, self._piece(*given) if about == "rows" else self._time()])
        elif message.type == "spawn":
            self._state = "running"
            self._tell("spawning_complete", {"user_classes_count": {USER: 1}, "user_count": 1})
            self._report()

    def _report(self) -> None:
        order = self._order
        settings = LoadSettings(order["settings"])
        if not _PLANNED:
            streams = [Stream(number) for number in order["bystanders"]]
            _PLANNED.append(
                plan(
                    one_step(settings),
                    seed=settings.seed,
                    traffic=traffic(settings),
                    bystander_per_s=settings.bystander_rate,
                    bystanders=streams,
                )
            )
        schedule, start_ns = _PLANNED[0].shard(order["index"], order["count"]), order["start_ns"]
        sent_ns = schedule.due_ns + start_ns + 50_000
        rows = len(schedule)
        self._rows = {
            **Recorder(schedule).rows(start_ns),
            "sent_ns": sent_ns,
            "replied_ns": sent_ns + 1_000_000,
            "status": np.full(rows, 202, np.int16),
            "outcome": np.full(rows, Outcome.ACCEPTED, np.int8),
        }
        end_ns = start_ns + round(settings.seconds * NS_PER_S)
        moments = {"start_ns": start_ns, "end_ns": end_ns, "drained_ns": end_ns}
        used = {"cpu_cores": 0.5, "in_flight_max": 9, "sockets_max": 9, "timer": "simulated"}
        told = {"interrupted": False, "overdue_share": 0.0, "errors": [""]}
        self._tell(REPORT, {"index": order["index"], "rows": rows, **moments, **used, **told})
        print(time.monotonic_ns(), flush=True)

    def _piece(self, _tag: int, begin: int) -> dict[str, bytes]:
        return {name: values[begin : begin + PIECE_ROWS].tobytes() for name, values in self._rows.items()}

    def _time(self) -> list[Any]:
        return [time.monotonic_ns(), boot_id(), self._name]

    def _beat(self) -> None:
        while True:
            usage = {"current_cpu_usage": 0, "current_memory_usage": 0}
            self._tell("heartbeat", {"state": self._state, **usage})
            gevent.sleep(HEARTBEAT_S)

    def _tell(self, about: str, data: Any) -> None:
        self._client.send(Message(about, data, self._name))  # type: ignore[no-untyped-call]


def main() -> None:
    """Work with as many workers as asked."""
    port, workers = (int(given) for given in sys.argv[1:])
    gevent.joinall([gevent.spawn(SimulatedWorker(port, number).work) for number in range(workers)])


if __name__ == "__main__":
    main()
