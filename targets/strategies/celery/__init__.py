"""What Celery is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.celery.strategy"

definition = Definition(
    name="celery",
    summary="Celery worker processes over Redis",
    variants={
        "default": Variant(
            "prefork with a child a core of the machine, results in Redis, .delay() in the coroutine",
            lazily(f"{_MODULE}:CeleryDefault"),
        ),
        "late": Variant(
            "as shipped, but acknowledged when a task has ended (acks_late) and nothing else",
            lazily(f"{_MODULE}:CeleryLate"),
            by_name_only=True,
        ),
        "threads": Variant(
            "as shipped, but with `slots` threads instead of children (-P threads) and nothing else",
            lazily(f"{_MODULE}:CeleryThreads"),
            by_name_only=True,
        ),
        "tuned": Variant(
            "results ignored, publishing off the loop, socket time-outs, no gossip, mingle or heartbeat, "
            "below kombu 5.7 no prefetch limit; `slots` threads for waiting tasks, prefork for computing "
            "ones",
            lazily(f"{_MODULE}:CeleryTuned"),
        ),
        "durable": Variant(
            "as tuned, but acknowledged when ended, given back when a child dies, not prefetched, visibility "
            "timeout of 90 s, published in bounded time, supervised; `slots` children for waiting tasks",
            lazily(f"{_MODULE}:CeleryDurable"),
            by_name_only=True,
        ),
    },
    requires={"celery": "5.6.3", "kombu": "5.6.2", "redis": "5.3.1"},
    broker="redis",
    place=50,
)
