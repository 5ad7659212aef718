"""What the session from a `yield` dependency is called here, without SQLAlchemy: its environment has that."""

from targets.strategy import Definition, Variant, lazily

POOL_SIZE, MAX_OVERFLOW = 5, 10
"""what SQLAlchemy's pool has unless it is told otherwise"""
CONNECTIONS = POOL_SIZE + MAX_OVERFLOW
_MODULE = "targets.strategies.yield_dependency.strategy"

definition = Definition(
    name="yield_dependency",
    summary="FastAPI BackgroundTasks beside a database session from a `yield` dependency",
    variants={
        "default": Variant(
            'scope="request", as shipped: each task keeps one of the pool\'s 5 + 10 connections',
            lazily(f"{_MODULE}:SessionPerRequest"),
            by_name_only=True,
        ),
        "tuned": Variant(
            'scope="function": the session is closed before the reply',
            lazily(f"{_MODULE}:SessionPerFunction"),
            by_name_only=True,
        ),
    },
    requires={"aiosqlite": "0.21", "fastapi": "0.121", "sqlalchemy": "2.0"},
    place=34,
)
