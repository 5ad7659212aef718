"""A campaign like a real one: nine subjects over a grid of rates, a burst, a sweep and a fan-out."""

from pathlib import Path
from typing import Any

from results.schema import Service
from results.store import Campaign
from tests.analysis.synthetic import Cell, build

SUBJECTS: list[dict[str, Any]] = [
    {"strategy": "inline", "service": Service(law="await", slots=0)},
    {"strategy": "background_tasks", "service": Service(law="pool", slots=40), "suffers": ("ping_sync",)},
    {
        "strategy": "background_tasks",
        "variant": "tuned",
        "service": Service(law="pool", slots=40),
    },
    {"strategy": "background_tasks_async", "service": Service(law="await", slots=0)},
    {
        "strategy": "background_tasks_blocking",
        "service": Service(law="loop", slots=1),
        "suffers": ("accept", "ping", "ping_sync"),
    },
    {"strategy": "threadpool", "service": Service(law="pool", slots=6)},
    {"strategy": "threadpool", "variant": "tuned", "service": Service(law="pool", slots=40)},
    {"strategy": "celery", "service": Service(law="pool", slots=2, processes=2), "workers": 1},
    {
        "strategy": "celery",
        "variant": "tuned",
        "service": Service(law="pool", slots=40),
        "workers": 1,
    },
    {
        "strategy": "arq",
        "service": Service(law="poll", slots=10, poll_s=0.5, read_limit=100),
        "workers": 1,
    },
    {
        "strategy": "arq",
        "variant": "tuned",
        "service": Service(law="poll", slots=40, poll_s=0.01, read_limit=500),
        "workers": 1,
    },
    {"strategy": "someone_elses", "service": Service(law="pool", slots=20), "suffers": ("accept",)},
]


def cells(rates: tuple[float, ...] = (10, 20, 50, 150, 380, 440, 900), seconds: float = 4.0) -> list[Cell]:
    """Return the trials of a campaign of all subjects at these rates."""
    made = []
    for number, subject in enumerate(SUBJECTS):
        for rate in rates:
            reasons = ["slip p99 1.4 ms"] if (number, rate) == (1, 150) else []
            made.append(Cell(steps=[(rate, seconds, 100)], reasons=reasons, **subject))
        made.append(Cell(steps=[(40, 1.5, 100), (900, 1.5, 100), (40, 5, 100)], scenario="burst", **subject))
        durations = (10, 30, 100, 300, 1000, 3000)
        sweep = [(20.0, seconds, float(duration)) for duration in durations]
        made.append(Cell(steps=sweep, scenario="duration_sweep", **subject))
    made.append(Cell(steps=[(30, seconds, 50)], scenario="fanout", **SUBJECTS[1]))
    made.append(Cell(steps=[(30, seconds, 50)], scenario="closed_loop", closed=True, **SUBJECTS[1]))
    return made


def make(folder: Path) -> Campaign:
    """Write the campaign."""
    return build(folder, cells())[0]
