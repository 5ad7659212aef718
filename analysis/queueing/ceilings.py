"""The highest rate at which a strategy can work, from how it serves tasks.

Light on purpose: the harness places its rates with it, so nothing here imports more than `math`.
"""

import math
from typing import Final

from analysis.queueing.demands import demand_limits
from results.lasting import EQUALLY, Lasting
from results.schema import Service
from results.terms import KINDS

CLAIM_S: Final = 0.0006
"""What one claim takes a polling worker: four round trips to the broker and the start of the task, measured
with ARQ 0.28 and a local Valkey (1,500 to 1,670 claims/s)"""

_ROUNDING: Final = 1e-9
"""0.3 / 0.1 is 2.9999999999999996: an exact multiple of the poll must still count as one"""
_ALL_BUT_FEW: Final = 1 - 1e-6
_MOST_TICKS: Final = 10_000
"""of so long a task nothing is left of the ticks but half of one, on average"""


def saturation_rate(
    service: Service, kind: str, duration_ms: float, cores: int, lasting: Lasting = EQUALLY
) -> float | None:
    """Return the highest rate (tasks/s) that a service can sustain, None where theory knows no limit.

    With S the service time in seconds and c the slots, the utilisation law (rho = rate x S / c, e.g.
    Lazowska et al., *Quantitative System Performance*, 1984, ch. 3) puts saturation at rho = 1:

    =========  =================================================================================
    law        ceiling
    =========  =================================================================================
    `await`    none for what only waits (`sleep`, `http`): coroutines wait side by side. What computes is
               a `loop`.
    `loop`     processes / S: an event loop runs one blocking body at a time
    `pool`     c / S for what only waits; min(c, processes, cores) / S for `cpu`, since pure Python uses
               one core a process (the GIL), and for `cache`, on the safe side: round trips overlap;
               min(c, cores) / S for `cpu_native`, which releases it
    `poll`     min(read_limit / poll, c / T, processes / claim) with T = max(S rounded *up past* the next
               tick of the poll, S + c x claim), and never more than `pool` allows
    =========  =================================================================================

    The polling law is ARQ's (`arq/worker.py` 0.28, `main`, `_poll_iteration` and `start_jobs`): a look
    reads at most `queue_read_limit` ids and stops where `max_jobs` run; nothing looks again before the
    next tick, however early a slot falls free. Tasks start just after a tick, so one lasting exactly k
    polls is still running k ticks later and holds its slot for k + 1 (measured with 10 slots, poll
    0.5 s: 20/s at 0.1 s, 6.7/s at 1 s). A look takes time too: it walks over the tasks that run (they
    stay in the queue) before it claims others one by one, about `CLAIM_S` for each slot (100 slots, poll
    0.01 s: 659/s measured at 0.1 s, 366 at 0.2 s; the law says 625 and 385). Tasks shorter than that free
    their slot within the same look, which leaves the read limit (100 / 0.5 s; measured 200.0/s at 0, 1
    and 2 ms, 108 at 5 ms, where filling 10 slots takes as long, and 20.0 from 10 ms on).

    Durations that vary (`lasting`, of that mean) leave these ceilings as they are, since only the mean work
    counts; but of the polling law, which rounds each task up, S is then rounded up on average.

    Several web processes have as many loops and pools: `slots` and `processes` are those of all of them, and
    the ceiling is that of the sum as long as each gets its share of the tasks.

    A kind of the user's own has its `demand` measured: what it holds of the GIL, the cores and, awaited, of
    the loop adds ceilings of its own (`demands`), in the place of `cpu`'s or `cpu_native`'s.

    `cores` are those that may run tasks. Raises ValueError for an unknown law or kind.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    limits = demand_limits(service, kind, duration_ms / 1000, cores)
    slotted = _slotted_rate(service, kind, duration_ms / 1000, cores, lasting)
    return min([*limits, *(() if slotted is None else (slotted,))], default=None)


def _slotted_rate(service: Service, kind: str, seconds: float, cores: int, lasting: Lasting) -> float | None:
    """Return the ceiling by law and slots."""
    measured, told = service.demand is not None, KINDS[kind]
    held = told.held or measured
    law = "loop" if service.law == "await" and not (held and told.awaited) else service.law
    if law == "await":
        return None
    if law == "loop":
        return _per_second(service.processes if held else min(service.processes, cores), seconds)
    if law == "pool":
        return _pool(service, kind, seconds, cores)
    if law == "poll":
        limits = (_poll(service, seconds, lasting), _pool(service, kind, seconds, cores))
        return min((limit for limit in limits if limit is not None), default=None)
    raise ValueError(f"unknown law {service.law!r}")


def utilisation(rate_per_s: float, ceiling_per_s: float | None) -> float | None:
    """Return rho, the offered rate as a fraction of the ceiling; None where there is no ceiling."""
    return None if ceiling_per_s is None else rate_per_s / ceiling_per_s


def backlog_growth(rho: float) -> float:
    """Return the share of arrivals that stays behind for good at utilisation rho: max(0, 1 - 1/rho).

    Work leaves at most at the ceiling, so of `rate` tasks a second `rate - ceiling` join the backlog.
    """
    return max(0.0, 1.0 - 1.0 / rho) if rho > 0 else 0.0


def _pool(service: Service, kind: str, seconds: float, cores: int) -> float | None:
    limits = [service.slots] if service.slots else []
    bound = "" if service.demand else KINDS[kind].bound
    if bound:
        limits.append(cores)
    if bound == "gil":
        limits.append(service.processes)
    return _per_second(min(limits), seconds) if limits else None


def _poll(service: Service, seconds: float, lasting: Lasting) -> float | None:
    if not service.poll_s:
        return None
    limits = [service.processes / CLAIM_S]
    if service.read_limit:
        limits.append(service.read_limit / service.poll_s)
    if service.slots:
        look = service.slots * CLAIM_S
        held = seconds + look
        if seconds > look:
            held = max(held, _ticks(seconds / service.poll_s, lasting) * service.poll_s)
        limits.append(service.slots / held)
    return min(limits)


def _ticks(polls: float, lasting: Lasting) -> float:
    """Return how many polls a task holds its slot, on average, that lasts so many: 1 + sum of P(S >= k)."""
    if not lasting:
        return math.floor(polls + _ROUNDING) + 1
    last = math.ceil(lasting.not_exceeded(polls, _ALL_BUT_FEW))
    if last > _MOST_TICKS:
        return polls + 0.5
    return 1 + sum(lasting.at_least(k, polls) for k in range(1, last + 1))


def _per_second(lanes: int, seconds: float) -> float | None:
    return lanes / seconds if seconds else None
