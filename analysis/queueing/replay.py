"""A strategy's queue with all that waits in it: tasks, and the requests that share their servers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.queueing.demands import awaits, bound_of
from analysis.queueing.trace import poll, serve
from results.schema import Service
from results.terms import KINDS

Floats = npt.NDArray[np.float64]

PASSES: Final[dict[str, dict[str, int]]] = {
    "loop": {"ping": 1, "ping_sync": 3},
    "pool": {"ping_sync": 2, "ping_db": 1},
}
"""How often a bystander queues for what the tasks hold. A `def` endpoint that declares what it returns takes
a thread twice, for its body and to validate what came of it (`fastapi/routing.py`: `run_endpoint_function`,
`serialize_response`), and the loop before, between and after the two. Measured p99 where tasks waited 0.92 s
for a pool: 1.65 s for /ping-sync; with a loop at rho = 0.6: 0.46 s for /ping, 1.38 s for /ping-sync."""

REQUEST_S: Final = 0.0004
"""What one request takes of the web process's event loop (uvloop, httptools: 0.3 to 0.5 ms measured)"""
_THREAD_S: Final = 0.0001
"""What one pass of a bystander takes of a thread"""


@dataclass(frozen=True)
class Replay:
    """What became of the jobs of a schedule, in the schedule's own time and order."""

    start_s: Floats
    """of the tasks"""
    end_s: Floats
    latency_s: dict[str, Floats]
    """of each stream that shares the tasks' queue, from due to answered"""


def fifo_servers(service: Service, kind: str, cores: int) -> int | None:
    """Return how many servers a FIFO queue of this service has; 0 for no limit, None where it is none.

    Several pools are no single queue: which of them a request met is known of no bystander.

    Computing kinds in more threads or processes than cores may use share those cores by turns instead of
    waiting for each other, and no exact law is known here for tasks that all slow each other down. So do
    round trips that take turns in a thread or on a loop.
    """
    bound, computing = bound_of(service, kind), min(service.processes, cores)
    if KINDS[kind].awaited and (bound or (service.law == "await" and not awaits(service, kind))):
        return None
    if service.pools > 1 and (bound or service.law != "await"):
        return None
    if service.law == "await":
        return computing if bound or not KINDS[kind].awaited else 0
    if service.law == "loop":
        return computing if bound else service.processes
    most = {"": service.slots, "gil": computing, "cores": cores}[bound]
    return service.slots if service.slots <= most else None


def replay(
    service: Service,
    servers: int,
    due_s: Floats,
    held_s: Floats,
    bystanders: Mapping[str, Floats],
) -> Replay:
    """Follow tasks due at `due_s`, each holding a server for `held_s`, and the sharing among `bystanders`.

    `servers` is that of `fifo_servers`; `bystanders` has the due times of each by its column. Under the
    laws `loop` and `await` the loop is one server for everything; a request's reply leaves before its task
    runs, except where the endpoint awaits the task.
    """
    if not servers:
        start_s, end_s = due_s, due_s + held_s
        return Replay(start_s, end_s, {"accept": held_s} if "accept" in service.shares else {})
    if service.law == "poll" and service.poll_s:
        start_s, end_s = poll(due_s, held_s, servers, poll_s=service.poll_s, read_limit=service.read_limit)
        return Replay(start_s, end_s, {})
    on_loop = service.law in {"await", "loop"}
    short = REQUEST_S if on_loop else _THREAD_S
    passes = PASSES["loop" if on_loop else "pool"]
    sharing = [name for name in passes if name in service.shares and name in bystanders]
    dues = [due_s, *(bystanders[name] for name in sharing)]
    counts = [len(own) for own in dues]
    due = np.concatenate(dues)
    held = np.concatenate([held_s, np.full(len(due) - len(due_s), short)])
    start, end = serve(due, held, servers, np.repeat([1, *(passes[name] for name in sharing)], counts))
    tasks, *others = np.split(end - due, np.cumsum(counts)[:-1])
    latency = dict(zip(sharing, others, strict=True))
    start_s, end_s = start[: len(due_s)], end[: len(due_s)]
    if "accept" in service.shares:
        latency["accept"] = tasks if service.law == "await" else start_s - due_s
    return Replay(start_s, end_s, latency)
