"""What procrastinate is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.procrastinate.strategy"

definition = Definition(
    name="procrastinate",
    summary="procrastinate worker process over PostgreSQL",
    variants={
        "default": Variant(
            "one job at once, notified and polled every 5 s, finished jobs kept",
            lazily(f"{_MODULE}:ProcrastinateDefault"),
        ),
        "tuned": Variant(
            "`slots` jobs, polled every 0.5 s, successful jobs deleted, 10 connections, computing in threads",
            lazily(f"{_MODULE}:ProcrastinateTuned"),
        ),
        "durable": Variant(
            "as tuned; what a worker without heartbeat did is retried, deferred in bounded time, supervised",
            lazily(f"{_MODULE}:ProcrastinateDurable"),
            by_name_only=True,
        ),
    },
    requires={"procrastinate": "3.10", "psycopg": "3.3"},
    broker="postgresql",
    usual=False,
    place=95,
)
