"""Times a moment and a run in a process that records: see `benchmarks.observe`."""

import json

from benchmarks.recording import EVENTS, fastest_us
from blockpoint import observe


def moment() -> None:
    for task_id in range(EVENTS):
        observe.record(task_id, observe.STARTED, 1)


@observe.observed
def nothing() -> None:
    """Do nothing."""


def run() -> None:
    for task_id in range(EVENTS // 2):
        observe.enter(task_id)
        nothing()


if __name__ == "__main__":
    if not observe.RECORDING:
        raise SystemExit(f"{observe.VARIABLE} names no folder")
    print(json.dumps({"moment": fastest_us(moment), "run": 2 * fastest_us(run)}))
