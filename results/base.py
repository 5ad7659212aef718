"""What every document is made of: its base, its format, and the bounds of its numbers and names.

What is outside the bounds is none of ours.

History of the format:
    1  first format: manifest, trials, and the tables requests, bystanders, events and resources.
       Later, still readable both ways by this version: `holdings`, and `crc32` at a document's head;
       `anyio_tokens` of a manifest; who measured beside a trial (`noise.company`); `survivors`; `lost` in the
       accounts, which are sums of fates since then. Published drills that had other accounts were told again
       from their rows.
    2  checksums stand in `SHA256SUMS` instead of within the documents; of its target's identity a trial
       repeats nothing that the manifest says; campaigns may be packed (`results.packed`); no interviews.
       Later, what this version reads without, too: `cv` and `mix` of a load, `options` of a point,
       `versions` and `bystanders` of a subject, the stream `ping_db`, `left_out`, `web_processes` and
       `middleware` of a manifest, `pools` and `demand` of a service, `spread` of a trial, `generators`
       of a load and of a manifest; the kind `request`, the streams `bystander_1` to `_3`, `completions`
       and `asked` of a subject, `followed_every` of a load; drills of the kind `request`; `whole` of a plan.
"""

from typing import Annotated, Final

import msgspec

from results.columns import FARTHEST_NS
from results.terms import KINDS_RECORDED, LONGEST_MS, NEVER

SCHEMA: Final = 2
SEALED_BESIDE: Final = 2
"""the format since which checksums stand in files of their own"""
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
Share = Annotated[float, msgspec.Meta(ge=0, le=1024)]
"""of a time; above 1 for what takes several at once, such as cores"""
Name = Annotated[str, msgspec.Meta(max_length=200)]
FileName = Annotated[str, msgspec.Meta(pattern=r"^(?!\.)[^/\x00-\x1f\x7f]{0,200}$")]
"""a part of a path that leads nowhere else"""
SHORTEST_POLL_S: Final = 0.001
"""whoever follows a queue look by look would not come to an end"""
Kind = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(KINDS_RECORDED)})$")]


def check_least(least: float, **given: float) -> None:
    """Raise ValueError for a number that is neither 0 nor as much as the least."""
    for name, value in given.items():
        if 0 < value < least:
            raise ValueError(f"{name} is neither 0 nor {least:g} or more")


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of the JSON documents: immutable, and strict about what it reads."""


class Versioned(Document, frozen=True, kw_only=True):
    """A document that is a file, and says of which format it is."""

    schema: int = SCHEMA
