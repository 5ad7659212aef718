"""The one exception that a person is meant to read."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

from results.text import masked, visible

Named = TypeVar("Named")


class BlockpointError(Exception):
    """One clear line that says what is wrong and what to do about it; never shown with a traceback."""

    def __str__(self) -> str:
        return visible(masked(super().__str__()))


def unknown(what: str, given: str, known: Iterable[str]) -> BlockpointError:
    """Return the error for a name that does not exist, offering the nearest one that does."""
    names = sorted(known)
    nearest = difflib.get_close_matches(given, names, n=1, cutoff=0.4)
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"known: {', '.join(names)}"
    return BlockpointError(f"there is no {what} {given!r}; {hint}")


def lookup(what: str, name: str, among: Mapping[str, Named]) -> Named:
    """Return what has that name; raises BlockpointError, offering the nearest, where nothing has."""
    if name not in among:
        raise unknown(what, name, among)
    return among[name]
