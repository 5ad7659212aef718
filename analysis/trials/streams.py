"""Which streams of requests rows of a summary have: a bystander that few targets offer is left unsaid."""

import pandas as pd

from results.terms import BYSTANDERS, OF_A_SERVICE, OFFERED_BY_ALL, Stream


def bystanders_in(rows: pd.DataFrame) -> list[Stream]:
    """Return the bystanders that every target offers, and of the others those with a request."""
    if any(_asked(rows, each) for each in OF_A_SERVICE):
        return [each for each in OF_A_SERVICE if _asked(rows, each)]
    return [each for each in BYSTANDERS if each in OFFERED_BY_ALL or _asked(rows, each)]


def _asked(rows: pd.DataFrame, stream: Stream) -> bool:
    name = f"{stream.column}_n"
    return name in rows and bool((rows[name] > 0).any())


def worst_of(streams: list[Stream]) -> str:
    """Name the slowest of some streams, whichever it is."""
    *others, last = (stream.latency for stream in streams)
    return f"the {'worse' if len(others) == 1 else 'worst'} of {', '.join(others)} and {last}"
