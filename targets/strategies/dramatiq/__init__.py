"""What dramatiq is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.dramatiq.strategy"

definition = Definition(
    name="dramatiq",
    summary="dramatiq worker processes over Redis",
    variants={
        "default": Variant(
            "a process a core of the machine with eight threads each, .send() in the coroutine; no retries, "
            "of which it has 20 by default, from 15 s on",
            lazily(f"{_MODULE}:DramatiqDefault"),
        ),
        "tuned": Variant(
            "publishing off the loop, an idle worker looks every 50 ms; `slots` threads in one process for "
            "waiting tasks, a process a core for computing ones",
            lazily(f"{_MODULE}:DramatiqTuned"),
        ),
        "durable": Variant(
            "as tuned, but every command looks for dead workers and takes back what they held for 30 s; "
            "published in bounded time, supervised",
            lazily(f"{_MODULE}:DramatiqDurable"),
            by_name_only=True,
        ),
    },
    requires={"dramatiq": "2.2", "redis": "8.0"},
    broker="redis",
    usual=False,
    place=80,
)
