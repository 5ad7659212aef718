"""Locust's own statistics, made true to the schedule and to latencies below a millisecond.

Locust rounds response times to whole milliseconds below 100, reads percentiles one sample too high where
they fall on a whole rank, and counts requests per second from the spawning of users to the last answer,
head start and drain included. Here its histograms keep three significant digits, its percentiles are the
project's own of them, and its rates are those of the schedule.
"""

import time
from typing import Any

import gevent
import locust.stats

from loadtests.openloop.histogram import bucket, response_time_at


def _percentile_fields(self: Any, entry: Any, use_current: bool = False) -> list[Any]:
    if not entry.num_requests:
        return list(self.percentiles_na)
    current = use_current and entry.use_response_times_cache
    read = entry.get_current_response_time_percentile if current else entry.get_response_time_percentile
    return [read(share) or 0 for share in self.percentiles_to_report]


class CompleteCSV(locust.stats.StatsCSVFileWriter):
    """Locust's CSV files, with everything in them when they are closed.

    Locust writes them once a second but not at the end, and closes them under the greenlet that writes.
    """

    _writing: gevent.Greenlet | None = None

    def stats_writer(self) -> None:
        """Write the files once a second."""
        self._writing = gevent.getcurrent()
        super().stats_writer()

    def close_files(self) -> None:
        """Write all files a last time and close them."""
        if self._writing is not None:
            self._writing.kill()
            self._stats_history_data_rows(self.stats_history_csv_writer, time.time())
        for file, write, writer in (
            (self.requests_csv_filehandle, self.requests_csv, self.requests_csv_writer),
            (self.failures_csv_filehandle, self.failures_csv, self.failures_csv_writer),
            (self.exceptions_csv_filehandle, self.exceptions_csv, self.exceptions_csv_writer),
        ):
            file.seek(0)
            write(writer)
            file.truncate()
        super().close_files()


def install() -> None:
    """Put all this in the place of Locust's own, for this process."""
    stats: Any = locust.stats
    stats.bucket_response_time = bucket
    stats.calculate_response_time_percentile = response_time_at
    stats.StatsCSV._percentile_fields = _percentile_fields  # noqa: SLF001
    stats.StatsCSVFileWriter = CompleteCSV


def count_between(stats: Any, from_ns: int, to_ns: int) -> None:
    """Let Locust count requests per second of that time, moments of the monotonic clock.

    It divides by the time between two moments that it keeps; whatever it logs later moves them again.
    """
    lag_s = time.time() - time.monotonic()
    for entry in (*stats.entries.values(), stats.total):
        entry.start_time = from_ns / 1e9 + lag_s
        entry.last_request_timestamp = max(from_ns, to_ns) / 1e9 + lag_s


def report_now(worker_runner: Any) -> None:
    """Send a worker's statistics to the master, else due every three seconds only."""
    worker_runner._send_stats()  # noqa: SLF001
