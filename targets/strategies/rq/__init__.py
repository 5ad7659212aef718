"""What RQ is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.rq.strategy"

definition = Definition(
    name="rq",
    summary="RQ worker processes over Redis, with its JSON serializer",
    variants={
        "default": Variant(
            "one worker that forks for each job and runs one at a time, results kept for 500 s, enqueued in "
            "the coroutine",
            lazily(f"{_MODULE}:RqDefault"),
        ),
        "tuned": Variant(
            "no results, publishing off the loop; a pool of `slots` workers that do not fork for waiting "
            "tasks, one of a worker a core for computing ones",
            lazily(f"{_MODULE}:RqTuned"),
        ),
        "durable": Variant(
            "as tuned, but a fork a job: one that dies is retried at once, one whose worker died after 30 s; "
            "published in bounded time, supervised",
            lazily(f"{_MODULE}:RqDurable"),
            by_name_only=True,
        ),
    },
    requires={"rq": "3.0", "redis": "8.0"},
    broker="redis",
    usual=False,
    place=90,
)
