"""Locust's own statistics, kept fine enough for latencies below a millisecond.

Locust rounds response times to whole milliseconds below 100 and cuts the percentiles of its CSV files to
whole ones; both are replaced here by three significant digits.
"""

import math
from typing import Any

import gevent
import locust.stats


def bucket(response_time_ms: float) -> float:
    """Round to three significant digits."""
    if response_time_ms <= 0:
        return 0.0
    return round(response_time_ms, 2 - math.floor(math.log10(response_time_ms)))


def _percentile_fields(self: Any, entry: Any, use_current: bool = False) -> list[Any]:
    if not entry.num_requests:
        return list(self.percentiles_na)
    current = use_current and entry.use_response_times_cache
    read = entry.get_current_response_time_percentile if current else entry.get_response_time_percentile
    return [read(share) or 0 for share in self.percentiles_to_report]


def keep_small_latencies() -> None:
    """Install the finer rounding into Locust, for this process."""
    stats: Any = locust.stats
    stats.bucket_response_time = bucket
    stats.StatsCSV._percentile_fields = _percentile_fields  # noqa: SLF001


def let_csv_catch_up() -> None:
    """Wait until Locust's CSV files hold everything: it rewrites them once a second, but not at the end."""
    gevent.sleep(1.2 * locust.stats.CSV_STATS_INTERVAL_SEC)


def report_now(worker_runner: Any) -> None:
    """Send a worker's statistics to the master, else due every three seconds only."""
    worker_runner._send_stats()  # noqa: SLF001
