"""The bounds within which the numbers and names of a document lie: what is outside them is none of ours."""

from typing import Annotated, Final

import msgspec

from results.columns import FARTHEST_NS
from results.terms import KINDS, LONGEST_MS, NEVER

Nanoseconds = Annotated[int, msgspec.Meta(ge=NEVER, le=FARTHEST_NS)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Several = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
"""of slots, processes, repeats, ..."""
Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_MS / 1000)]
LEAST: Final = 1e-6
"""of a rate, and of a duration that is not 0: what is much less cannot be divided by"""
Rate = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Arrivals = Annotated[float, msgspec.Meta(ge=LEAST, le=1e12)]
Figure = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
"""what was measured and has no other bound"""
Name = Annotated[str, msgspec.Meta(max_length=200)]
FileName = Annotated[str, msgspec.Meta(pattern=r"^(?!\.)[^/\x00-\x1f\x7f]{0,200}$")]
"""a part of a path that leads nowhere else"""
SHORTEST_POLL_S: Final = 0.001
"""whoever follows a queue look by look would not come to an end"""
Kind = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(KINDS)})$")]


def check_least(least: float, **given: float) -> None:
    """Raise ValueError for a number that is neither 0 nor as much as the least."""
    for name, value in given.items():
        if 0 < value < least:
            raise ValueError(f"{name} is neither 0 nor {least:g} or more")
