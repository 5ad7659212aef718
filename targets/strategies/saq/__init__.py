"""What SAQ is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.saq.strategy"

definition = Definition(
    name="saq",
    summary="SAQ worker process over Redis",
    variants={
        "default": Variant(
            "10 jobs at once, each given up after 10 s, results for 10 minutes, computing in cpu + 4 threads",
            lazily(f"{_MODULE}:SaqDefault"),
        ),
        "tuned": Variant(
            "`slots` jobs, 70 s and three tries for each, swept every 10 s, no results",
            lazily(f"{_MODULE}:SaqTuned"),
        ),
        "durable": Variant(
            "as tuned; heartbeats, a sweep that is prompt and spares what lives, bounded waits for Redis, "
            "finishes its jobs on SIGTERM, supervised",
            lazily(f"{_MODULE}:SaqDurable"),
            by_name_only=True,
        ),
    },
    requires={"saq": "0.26.4", "redis": "5.3.1"},
    broker="redis",
    usual=False,
    place=70,
)
