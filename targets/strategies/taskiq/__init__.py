"""What taskiq is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.taskiq.strategy"

definition = Definition(
    name="taskiq",
    summary="taskiq worker processes over Redis: its stream broker, and its list broker where tuned",
    variants={
        "default": Variant(
            "stream broker as documented, but from the first message on and with results in JSON; two "
            "processes of 100 coroutines",
            lazily(f"{_MODULE}:TaskiqDefault"),
        ),
        "tuned": Variant(
            "list broker without acknowledgement, no results; `slots` coroutines in one process for waiting "
            "tasks, a process a core for computing ones",
            lazily(f"{_MODULE}:TaskiqTuned"),
        ),
        "durable": Variant(
            "as tuned, but the stream broker: fetched one by one, taken back from the dead after 90 s, "
            "published in bounded time, supervised",
            lazily(f"{_MODULE}:TaskiqDurable"),
            by_name_only=True,
        ),
    },
    requires={"taskiq": "0.13", "taskiq-redis": "1.2.4", "redis": "8.0"},
    broker="redis",
    usual=False,
    place=70,
)
