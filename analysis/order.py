"""The one order of strategies and variants, in every table, page and chart."""

from collections.abc import Iterator, Sequence
from typing import Final

import pandas as pd

FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "in-process": (
        "inline",
        "background_tasks",
        "background_tasks_async",
        "background_tasks_blocking",
        "create_task",
        "yield_dependency",
        "threadpool",
        "processpool",
        "apscheduler",
    ),
    "Redis queue": ("celery", "arq", "taskiq", "dramatiq", "rq", "saq", "streaq", "huey"),
    "RabbitMQ queue": ("celery_rabbitmq",),
    "PostgreSQL queue": ("procrastinate",),
}
"""by where a task waits until it runs"""
STRATEGIES: Final = tuple(strategy for family in FAMILIES.values() for strategy in family)
VARIANTS: Final = ("default", "late", "threads", "tuned", "durable")


def order(strategy: str, variant: str = "") -> tuple[int, str, int, str]:
    """Return a key that sorts strategies as named here, and variants from as shipped to durable.

    Those of other packages come last.
    """
    return (*_place(strategy, STRATEGIES), *_place(variant, VARIANTS))


def family(strategy: str) -> str:
    """Return where a strategy's tasks wait, in words; empty for one of another package."""
    return next((family for family, known in FAMILIES.items() if strategy in known), "")


def _place(name: str, known: Sequence[str]) -> tuple[int, str]:
    return (known.index(name) if name in known else len(known), name)


def subjects(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield (strategy, variant, rows) in a stable order, from as shipped to durable."""
    found = set(zip(rows["strategy"], rows["variant"], strict=True))
    keys = sorted(found, key=lambda key: order(*key))
    for strategy, variant in keys:
        yield strategy, variant, rows[(rows["strategy"] == strategy) & (rows["variant"] == variant)]
