"""What a target would carry if its tasks came in bursts: simulated, since a search offers steady traffic."""

import math
from typing import Final

from analysis.queueing.blocking import blocking_rate
from results.lasting import EQUALLY, Lasting
from results.schema import Service
from results.traffic import Traffic

MILD: Final = Traffic("onoff")
"""stretches at twice the rate and silences, half a second each on average"""
FOLLOWED_S: Final = 60.0
_BYSTANDER_PER_S: Final = 100.0
_FEWEST: Final = 200
"""tasks of a followed schedule, below which its bursts are single tasks"""


def burst_share(
    service: Service,
    kind: str,
    duration_ms: float,
    cores: int,
    *,
    apart: bool,
    limit_ms: float = 100.0,
    lasting: Lasting = EQUALLY,
) -> float | None:
    """Return the blocking rate under mild bursts as a share of that under Poisson arrivals.

    None where theory knows no rate at which the API blocks, or one so low that no burst has two tasks.
    """
    steady, bursts = (
        blocking_rate(
            service,
            kind,
            duration_ms,
            cores,
            apart=apart,
            limit_ms=limit_ms,
            seconds=FOLLOWED_S,
            bystander_per_s=_BYSTANDER_PER_S,
            traffic=Traffic(arrivals, cv=lasting.cv, mix=lasting.mix),
        )
        for arrivals in ("poisson", MILD.arrivals)
    )
    if not steady or not bursts or math.isinf(steady) or bursts * FOLLOWED_S < _FEWEST:
        return None
    return min(bursts / steady, 1.0)
