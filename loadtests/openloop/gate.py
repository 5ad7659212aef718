"""Whether a run's figures may be believed: a pure function from figures to reasons against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MAX_SLIP_MS = 1.0
MAX_SLIP_SHARE = 0.02
MIN_ACHIEVED = 0.99
MAX_CPU_CORES = 0.85
MAX_SOCKETS = 1_000
SLO_MS = 100.0
"""latency above which a target is blocked, unless the caller asks about another"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What the gate looks at; times in ms, of the measured part of the run."""

    scheduled: int
    slip_p99_ms: float
    accept_p50_ms: float
    shed: int
    achieved_ratio: float
    """of what was not shed"""
    cpu_cores: float
    """of the busiest generating process"""
    sockets_max: int
    """open at once, in any one process"""
    errors: Mapping[str, int] = field(default_factory=dict)
    """how many requests of any stream ended in each way that is not a 2xx answer; neither those shed nor
    those closed early on purpose are among them"""
    shed_wait_ms: float = 0.0
    """how long requests in flight had waited, at the least, when another was shed; 0 where nothing was shed
    after the warm-up"""
    interrupted: bool = False
    overdue_share: float = 0.0
    """of the schedule, due before it could begin: nothing of it was sent then"""
    clock_uncertainty_ms: float = 0.0
    """by how much the times of a generator on another clock may be wrong"""
    lost: Sequence[str] = ()
    """generators whose rows have not come"""


def slip_limit_ms(accept_p50_ms: float, tolerated_ms: float = 0.0) -> float:
    """Return how late the generator may be: a share of the latency, never less than what is tolerated.

    Whoever only asks on which side of a limit the latency is tolerates the same share of that limit.
    """
    return max(tolerated_ms or MAX_SLIP_MS, MAX_SLIP_SHARE * accept_p50_ms)


def reasons_against(
    figures: Figures,
    *,
    closed: bool = False,
    allow_errors: bool = False,
    tolerated_slip_ms: float = 0.0,
    slo_ms: float = SLO_MS,
) -> list[str]:
    """Return why the run does not count, each as `word: figure and limit`; empty when it does.

    A closed loop has no schedule to be late for, shed from or fall short of. With `allow_errors` an
    overloaded target's rejections and time-outs are no reason: the caller knows that it is overloaded.
    Nor is it one that requests were shed, where the generator was neither late nor busy and all that were
    in flight had waited longer than `slo_ms`: then it is the target that does not answer.
    """
    f = figures
    open_loop = not closed and f.scheduled > 0
    limit_ms = slip_limit_ms(f.accept_p50_ms, tolerated_slip_ms)
    late, busy = not f.slip_p99_ms < limit_ms, not f.cpu_cores < MAX_CPU_CORES
    errors = ", ".join(f"{n} {how}" for how, n in sorted(f.errors.items()))
    checks = [
        (f.interrupted, "interrupted: the schedule was not walked to its end"),
        (f.overdue_share > 0, f"late: {f.overdue_share:.0%} of the schedule was due before it could begin"),
        (bool(f.lost), f"lost: {', '.join(f.lost)} did not report, and its requests are missing"),
        (
            not f.clock_uncertainty_ms < limit_ms,
            f"clocks: they agree to {f.clock_uncertainty_ms:.2f} ms between hosts, limit {limit_ms:.2f} ms",
        ),
        (not f.scheduled, "empty: no task was due after the warm-up"),
        (
            open_loop and late,
            f"slip: p99 {f.slip_p99_ms:.2f} ms, limit {limit_ms:.2f} ms",
        ),
        (
            open_loop and not f.achieved_ratio >= MIN_ACHIEVED,
            f"rate: {f.achieved_ratio:.1%} of the due requests were sent in time, limit {MIN_ACHIEVED:.0%}",
        ),
        (
            f.shed > 0 and (late or busy or not f.shed_wait_ms > slo_ms),
            f"shed: {f.shed} requests were never sent, the cap on requests in flight was reached",
        ),
        (
            busy,
            f"cpu: the generator used {f.cpu_cores:.2f} cores, limit {MAX_CPU_CORES}",
        ),
        (f.sockets_max >= MAX_SOCKETS, f"sockets: {f.sockets_max} open at once, limit {MAX_SOCKETS}"),
        (bool(errors) and not allow_errors, f"errors: {errors}"),
    ]
    return [reason for against, reason in checks if against]
