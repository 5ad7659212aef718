"""What Celery over RabbitMQ is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.celery_rabbitmq.strategy"

definition = Definition(
    name="celery_rabbitmq",
    summary="Celery worker processes over RabbitMQ",
    variants={
        "default": Variant(
            "prefork with a child a core of the machine, no results, .delay() in the coroutine",
            lazily(f"{_MODULE}:RabbitmqDefault"),
        ),
        "tuned": Variant(
            "publishing off the loop, socket time-outs, no gossip, mingle or heartbeat, below kombu 5.7 no "
            "prefetch limit; `slots` threads for waiting tasks, prefork for computing ones",
            lazily(f"{_MODULE}:RabbitmqTuned"),
        ),
        "durable": Variant(
            "as tuned, but quorum queues, publishing confirmed and in bounded time, acknowledged when ended, "
            "given back when a child dies, not prefetched, supervised; `slots` children for waiting tasks",
            lazily(f"{_MODULE}:RabbitmqDurable"),
            by_name_only=True,
        ),
    },
    requires={"celery": "5.6.3", "kombu": "5.6.2"},
    broker="rabbitmq",
    usual=False,
    place=55,
)
