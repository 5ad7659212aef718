"""What keeps a strategy from working, found before anything of it runs."""

import inspect

import msgspec

from results.schema import Subject
from results.terms import KINDS

YOUNGER = ("window_s", "supervised")
"""what a strategy may leave undeclared, since there were strategies before it"""


def misfit(made: object, protocol: type) -> str:
    """Return what `made` lacks of a protocol, and what to write instead; empty where nothing."""
    for name in protocol.__annotations__:
        if not hasattr(made, name) and name not in YOUNGER:
            return f"does not say its `{name}`: see targets.strategy.{protocol.__name__}"
    for name, wanted in vars(protocol).items():
        if not inspect.iscoroutinefunction(wanted):
            continue
        given = getattr(made, name, None)
        takes = list(inspect.signature(wanted).parameters)
        form = f"`async def {name}({', '.join(takes)})`"
        if not callable(given):
            return f"has no {form}"
        if not inspect.iscoroutinefunction(inspect.unwrap(given)):
            return f"has a `{name}` that is no coroutine function: write {form}"
        if not _takes(given, len(takes) - 1):
            return f"has a `{name}` that takes other arguments: write {form}"
    return ""


def undeclared(subject: Subject) -> str:
    """Return what a declaration lacks to predict from; empty where nothing.

    Raises TypeError or ValueError where it cannot be written down and read back.
    """
    recorded = msgspec.json.decode(msgspec.json.encode(subject), type=Subject)
    if missing := [name for name, kind in KINDS.items() if not kind.own and name not in recorded.services]:
        named = ", ".join(missing)
        return f"does not say how it serves tasks of kind {named}: `services` needs sleep and what computes"
    return ""


def in_words(error: BaseException) -> str:
    """Return the kind of an error and what it says, in one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}{words and ': '}{words}"


def _takes(function: object, count: int) -> bool:
    try:
        inspect.signature(function).bind(*[None] * count)  # type: ignore[arg-type]
    except TypeError:
        return False
    return True
