"""What Huey is called here, without the library: its environment has that."""

from targets.strategy import Definition, Variant, lazily

_MODULE = "targets.strategies.huey.strategy"

definition = Definition(
    name="huey",
    summary="Huey consumer process over Redis, which acknowledges nothing: what it has taken dies with it",
    variants={
        "default": Variant(
            "one thread, published in the coroutine, ended at once by SIGTERM, JSON instead of pickle",
            lazily(f"{_MODULE}:HueyDefault"),
        ),
        "tuned": Variant(
            "`slots` threads, results off, publishing off the loop, socket time-outs, three tries, finishes "
            "its tasks on SIGTERM",
            lazily(f"{_MODULE}:HueyTuned"),
        ),
    },
    requires={"huey": "3.5.4", "redis": "6.4"},
    broker="redis",
    usual=False,
    place=72,
)
