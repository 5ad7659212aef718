"""Queues followed job by job on a given schedule: G/G/c first come first served, and ARQ's polling.

They hold at any load: below saturation, above it, and while it changes. Times are seconds on any one clock,
arrays hold one element a job, in any order.
"""

import heapq
import math
from collections import deque

import numpy as np
import numpy.typing as npt

from analysis.queueing.ceilings import CLAIM_S

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MANY_LOOKS = 10_000
"""looks in a row that find no slot free; more are not followed one by one"""


def serve(due_s: Floats, held_s: Floats, servers: int, passes: Ints | None = None) -> tuple[Floats, Floats]:
    """Return when each job first starts and last ends: FIFO before `servers` servers that start idle.

    A job starts once it is due and a server is free, and holds that one for `held_s` (the recursion of
    Kiefer and Wolfowitz, *On the theory of queues with many servers*, 1955; Lindley's, 1952, for one). One
    with several `passes` is back at the end of the queue when it has been served, that many times in all.
    """
    order = np.argsort(due_s, kind="stable")
    due = due_s[order].tolist()
    left = np.ones(len(due), np.int64) if passes is None else passes
    if due and (left == 1).all() and (held_s == held_s[0]).all():
        start, end = np.empty_like(due_s), np.empty_like(due_s)
        start[order], end[order] = _in_turn(due, float(held_s[0]), servers)
        return start, end
    began, ended = _followed(due, order.tolist(), held_s.tolist(), left.tolist(), servers)
    return np.array(began), np.array(ended)


def _in_turn(due: list[float], held_s: float, servers: int) -> tuple[list[float], list[float]]:
    """Serve equally long jobs: each takes the server of the one that came so many before it."""
    began, ended = list[float](), [-math.inf] * servers
    for at, free in zip(due, ended, strict=False):  # it grows meanwhile
        start = max(at, free)
        began.append(start)
        ended.append(start + held_s)
    return began, ended[servers:]


def _followed(
    due: list[float], order: list[int], held: list[float], left: list[int], servers: int
) -> tuple[list[float], list[float]]:
    """Serve jobs that come in that `order`, each with so many passes `left`."""
    free = [-math.inf] * servers
    back: list[tuple[float, int, int]] = []
    began, ended = [0.0] * len(held), [0.0] * len(held)

    def serve_until(moment: float) -> None:
        """Serve those again that are back by then."""
        while back and back[0][0] <= moment:
            at, job, remaining = heapq.heappop(back)
            end = max(at, free[0]) + held[job]
            heapq.heapreplace(free, end)
            if remaining > 1:
                heapq.heappush(back, (end, job, remaining - 1))
            ended[job] = end

    for job, at in zip(order, due, strict=True):
        if back and back[0][0] <= at:
            serve_until(at)
        start = max(at, free[0])
        end = start + held[job]
        heapq.heapreplace(free, end)
        began[job], ended[job] = start, end
        if left[job] > 1:
            heapq.heappush(back, (end, job, left[job] - 1))
    serve_until(math.inf)
    return began, ended


def starts(due_s: Floats, held_s: float, servers: int) -> Floats:
    """Return when each job starts where all hold a server equally long; `due_s` sorted.

    The k-th job then takes the server of the (k - c)-th: c queues G/D/1 side by side, each of them
    start_k = max(due_k, start_{k-1} + S), a running maximum. Some 100 times as fast as `serve`.
    """
    start = np.empty_like(due_s)
    for lane in range(min(servers, len(due_s))):
        own = due_s[lane::servers]
        ahead = np.arange(len(own)) * held_s
        start[lane::servers] = np.maximum.accumulate(own - ahead) + ahead
    return start


def visits(at_s: Floats, due_s: Floats, start_s: Floats, held_s: float, servers: int) -> Floats:
    """Return when visitors that come at `at_s` and hold nothing would start behind the jobs of `starts`.

    With n jobs before it a visitor gets its turn when the (n - c + 1)-th of them has ended.
    """
    before = np.searchsorted(due_s, at_s, side="right")
    ended = np.concatenate([np.full(servers, -math.inf), start_s + held_s])
    turn: Floats = np.maximum(at_s, ended[before])
    return turn


def poll(
    due_s: Floats, held_s: Floats, slots: int, *, poll_s: float, read_limit: int, claim_s: float = CLAIM_S
) -> tuple[Floats, Floats]:
    """Return when each job starts and ends in one worker that looks at the queue every `poll_s`.

    ARQ's loop (`arq/worker.py` 0.28, `main`, `_poll_iteration`, `start_jobs`; `arq/utils.py`, `poll`): a
    look reads the oldest `read_limit` jobs that are due and have not ended, running ones too, and walks
    over them at `claim_s` each, claiming those that wait until all slots are taken. With no slot free as it
    begins it is skipped. The next begins `poll_s` after this one began, or as it ends where it took longer.
    The first look is at the first due time: a worker's phase against a schedule is chance, and percentiles
    over many ticks do not know it.
    """
    order = np.argsort(due_s, kind="stable")
    due, held = due_s[order].tolist(), held_s[order].tolist()
    start = np.empty_like(due_s)
    running: list[float] = []
    unread = deque(range(len(due)))
    look = due[0] if due else 0.0
    while unread:
        if not running and due[unread[0]] > look:
            look += math.ceil((due[unread[0]] - look) / poll_s) * poll_s
        _release(running, look)
        clock = look
        if len(running) < slots:
            room = (read_limit or math.inf) - len(running)
            clock += claim_s * len(running)
            while unread and room > 0 and due[unread[0]] <= look:
                _release(running, clock)
                if len(running) >= slots:
                    break
                job = unread.popleft()
                clock += claim_s
                start[order[job]] = clock
                heapq.heappush(running, clock + held[job])
                room -= 1
        look = max(look + poll_s, clock)
        if len(running) >= slots and (idle := (running[0] - look) // poll_s) > _MANY_LOOKS:
            look += idle * poll_s
    return start, start + held_s


def _release(running: list[float], at_s: float) -> None:
    while running and running[0] <= at_s:
        heapq.heappop(running)
