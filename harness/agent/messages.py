"""What an agent is asked and what it answers: each a MessagePack map, by the name of the call."""

from typing import Annotated, Any, Final, Literal

import msgspec

from harness.campaign.host import Wanted
from results.base import Count, Name
from results.schema import Subject

PIECE_ROWS: Final = 1 << 16
"""of the ledger in one answer"""
MOST_BYTES: Final = 1 << 26
"""of one answer"""

TargetId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
Cores = list[Annotated[int, msgspec.Meta(ge=0, le=1 << 16)]]


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question or an answer."""


class Nothing(Message, frozen=True, kw_only=True):
    """No more than that it was asked, or done."""


class Time(Message, frozen=True, kw_only=True):
    """What the agent's clock shows."""

    read_ns: int
    boot_id: str


class About(Message, frozen=True, kw_only=True):
    """On what host the agent is."""

    host: Name
    machine: str
    """the same as another's where processes of both see each other"""
    cores: Cores
    """empty where nothing can be pinned"""
    environment: dict[str, Any]


class Look(Message, frozen=True, kw_only=True):
    """Calibrate, and look at servers."""

    wanted: Wanted
    pinning: dict[str, Any]


class Found(Message, frozen=True, kw_only=True):
    """What calibration and servers came to."""

    described: dict[str, dict[str, str]]
    calibration: dict[str, float]


class Start(Message, frozen=True, kw_only=True):
    """Start a target."""

    asker: str
    """who asks, for whoever comes meanwhile"""
    strategy: str
    variant: str
    settings: dict[str, str]
    """as variables"""
    loop: Literal["asyncio", "uvloop"]
    http: Literal["h11", "httptools"]
    needs: list[str]
    pinning: dict[str, Any]


class Started(Message, frozen=True, kw_only=True):
    """A target that is up."""

    target: TargetId
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    nonce: str
    subject: Subject


class Of(Message, frozen=True, kw_only=True):
    """A question about the target that is up."""

    target: TargetId


class Preflight(Of, frozen=True, kw_only=True):
    """Run a first task of a kind."""

    kind: str


class Quiet(Of, frozen=True, kw_only=True):
    """Wait until the host is quiet."""

    foreign_cores: float
    longest_s: Annotated[float, msgspec.Meta(ge=0, le=600)]


class Sample(Of, frozen=True, kw_only=True):
    """Begin to sample what is used."""

    beside: list[tuple[Name, Annotated[int, msgspec.Meta(ge=1)]]]


class Counted(Message, frozen=True, kw_only=True):
    """How far the work has come."""

    begun: Count
    ended: Count


class Drained(Message, frozen=True, kw_only=True):
    """Whether the backlog is gone."""

    drained: bool


class Collect(Of, frozen=True, kw_only=True):
    """End what follows the target, and tell of it."""

    drained: bool


class Collected(Message, frozen=True, kw_only=True):
    """What was seen of a target but its ledger, which is fetched in pieces."""

    rows: Count
    """of the ledger"""
    sha256: str
    """of its records, one after the other"""
    resources: dict[str, list[Any]]
    held: dict[int, dict[str, list[int]]]
    survivors: list[Count]
    web: list[Count]
    spoilt: list[str]


class Piece(Of, frozen=True, kw_only=True):
    """Send records of the ledger from this one on."""

    begin: Count


class Records(Message, frozen=True, kw_only=True):
    """Records of a ledger."""

    data: bytes
