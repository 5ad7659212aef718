"""The charts: each a function from a table and its words to a matplotlib Figure."""

from analysis.charts.blocking import blocking
from analysis.charts.burst import burst_timeline
from analysis.charts.cost import cost_by_role
from analysis.charts.frontier import frontier
from analysis.charts.grid import Caption
from analysis.charts.latency import latency_by_duration, latency_by_rate
from analysis.charts.prediction import predicted_by_rho
from analysis.charts.reach import reach
from analysis.charts.work import queue_wait, throughput

__all__ = [
    "Caption",
    "blocking",
    "burst_timeline",
    "cost_by_role",
    "frontier",
    "latency_by_duration",
    "latency_by_rate",
    "predicted_by_rho",
    "queue_wait",
    "reach",
    "throughput",
]
