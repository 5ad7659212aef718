"""What APScheduler is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.apscheduler.strategy"

definition = Definition(
    name="apscheduler",
    summary="APScheduler's AsyncIOScheduler, a job a task",
    variants={
        "default": Variant(
            "asyncio's cpu + 4 threads; a job that is more than 1 s late is dropped, not drained",
            lazily(f"{_MODULE}:AsShipped"),
            by_name_only=True,
        ),
        "tuned": Variant(
            "`slots` threads of its own, misfire_grace_time None, drained on shutdown",
            lazily(f"{_MODULE}:Patient"),
            by_name_only=True,
        ),
    },
    requires={"apscheduler": "3.11"},
    place=47,
)
