"""What streaQ is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.streaq.strategy"

definition = Definition(
    name="streaq",
    summary="streaQ worker process over Redis streams",
    variants={
        "default": Variant(
            "16 tasks at once and 16 fetched ahead, results for 5 minutes, JSON instead of pickle",
            lazily(f"{_MODULE}:StreaqDefault"),
        ),
        "tuned": Variant(
            "`slots` tasks, one fetched ahead, three tries at once, no results, no line a task in the log",
            lazily(f"{_MODULE}:StreaqTuned"),
        ),
        "durable": Variant(
            "as tuned; tasks of a dead worker come back after 15 to 30 s, bounded waits for Redis, finishes "
            "its tasks on SIGTERM, supervised",
            lazily(f"{_MODULE}:StreaqDurable"),
            by_name_only=True,
        ),
    },
    requires={"streaq": "7.2.0", "coredis": "6.9.0"},
    broker="redis",
    usual=False,
    place=71,
)
