"""What ARQ is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.arq.strategy"

definition = Definition(
    name="arq",
    summary="ARQ worker process over Redis (ARQ is in maintenance only mode, since October 2025)",
    variants={
        "default": Variant(
            "10 jobs at once, polled every 0.5 s, computing on the worker's loop",
            lazily(f"{_MODULE}:ArqDefault"),
        ),
        "tuned": Variant(
            "`slots` jobs, polled every 0.01 s, no results, computing in threads",
            lazily(f"{_MODULE}:ArqTuned"),
        ),
        "durable": Variant(
            "as tuned; bounded waits for Redis, finishes its jobs on SIGTERM, supervised",
            lazily(f"{_MODULE}:ArqDurable"),
            by_name_only=True,
        ),
    },
    requires={"arq": "0.28", "redis": "5.3.1"},
    broker="redis",
    place=60,
)
