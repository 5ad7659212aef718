"""Which charts there are: a campaign gets every one that its trials can fill, or a word why not."""

from collections.abc import Iterator
from typing import Final

from analysis.charts.blocking import BLOCKING_CHART
from analysis.charts.burst import BURST
from analysis.charts.cost import COST
from analysis.charts.drill_timeline import DRILL_TIMELINE
from analysis.charts.entry import Chart, Entry, charts
from analysis.charts.frontier import FRONTIER
from analysis.charts.latency import BY_DURATION, BY_RATE
from analysis.charts.loss_matrix import LOSS_MATRIX
from analysis.charts.prediction import PREDICTION
from analysis.charts.reach import REACH
from analysis.charts.soak import SOAK_CHART
from analysis.charts.work import QUEUE_WAIT, THROUGHPUT
from analysis.drills.derive import Drills
from analysis.trials.derive import Derived

CHARTS: Final[dict[type, list[Entry]]] = {
    Derived: [
        REACH,
        BLOCKING_CHART,
        FRONTIER,
        COST,
        BURST,
        SOAK_CHART,
        BY_DURATION,
        BY_RATE,
        THROUGHPUT,
        QUEUE_WAIT,
        PREDICTION,
    ],
    Drills: [LOSS_MATRIX, DRILL_TIMELINE],
}
"""by what a campaign was derived to, in the order of its page"""


def catalogue(tables: Derived | Drills) -> Iterator[Chart]:
    """Yield the charts of a campaign in the order of its page."""
    return charts(next(own for kind, own in CHARTS.items() if isinstance(tables, kind)), tables)
