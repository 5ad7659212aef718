"""Response times as Locust keeps them: how often each rounded one occurred."""

import math
from collections.abc import Mapping

from results.percentile import rank


def bucket(response_time_ms: float) -> float:
    """Round to three significant digits."""
    if response_time_ms <= 0:
        return 0.0
    return round(response_time_ms, 2 - math.floor(math.log10(response_time_ms)))


def response_time_at(response_times: Mapping[float, int], count: int, share: float) -> float:
    """Return a percentile of `count` response times, given how often each occurred; 0 of none."""
    left = rank(count, 100 * share)
    for response_time in sorted(response_times):
        left -= response_times[response_time]
        if left < 0:
            return response_time
    return 0.0
