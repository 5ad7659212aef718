"""A service of somebody's own, as the generator and the harness ask it: where it is, and what it is asked."""

import json
import math
import re
from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

import msgspec

from results.base import Document, Figure, Name
from results.errors import BlockpointError
from results.template import Template
from results.terms import OF_A_SERVICE, Stream

FIELDS: Final = ("id", "index", "payload")
"""of a request that submits: our id of its task, 16 hex digits; its number from 0; a line of the payloads"""
ID_HEADER: Final = "x-blockpoint-id"
"""carries our id to `blockpoint.observe`"""
VARIANT: Final = "service"
FOLLOWED: Final = "most_followed_per_s"
"""of an identity: how many tasks are followed to their end; 0 or not there: all"""
_LINE: Final = re.compile(r"[^\x00-\x1f\x7f]*")
_PATH: Final = re.compile(r"/[^\x00-\x20\x7f]*")
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")

Status = Annotated[int, msgspec.Meta(ge=100, le=599)]
Weight = Annotated[float, msgspec.Meta(gt=0, le=1e6)]


class Request(Document, frozen=True, kw_only=True):
    """A request; path, header values and body may hold fields in braces."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    path: str = "/"
    headers: dict[str, str] = {}
    body: str = ""
    expect: list[Status] = []
    """statuses that are an answer; empty: each 2xx"""
    weight: Weight = 1.0
    """how often it comes beside the others that submit"""

    @property
    def words(self) -> str:
        """What it is, in short."""
        return f"{self.method} {self.path}"

    def expects(self, status: int) -> bool:
        """Say whether a status is an answer."""
        return status in self.expect if self.expect else 200 <= status < 300

    def check(self, where: str, known: tuple[str, ...] = ()) -> "Request":
        """Return it; raises BlockpointError for what cannot be sent and for unknown fields."""
        if not _PATH.fullmatch(self.path):
            raise BlockpointError(f"{where}: path {self.path!r} has to begin with / and to hold no space")
        check_headers(where, self.headers)
        for text in (self.path, self.body, *self.headers.values()):
            Template(text).check(where, known)
        return self


def check_headers(where: str, headers: dict[str, str]) -> None:
    """Raise BlockpointError for a header that HTTP does not allow."""
    for name, value in headers.items():
        if not _HEADER.fullmatch(name) or not _LINE.fullmatch(value) or not value.isascii():
            raise BlockpointError(f"{where}: the header {name!r} is none that can be sent")


class Asked(Document, frozen=True, kw_only=True):
    """All that a generator has to know of a service."""

    name: Name
    url: str
    """with the prefix of all paths, if there is one"""
    headers: dict[str, str] = {}
    """of every request; a secret may be among them"""
    verify: bool = True
    """refuse a certificate that nobody known has signed"""
    ca: str = ""
    """a file of certificates to know beside the system's"""
    submit: list[Request]
    """those that start work, by turns according to their weights"""
    bystanders: list[Request] = []
    payloads: list[str] = []
    """by turns for the field `payload`"""
    journal: str = ""
    """a file into which the tasks are written that are to be followed; empty: none"""
    reply_fields: list[Name] = []
    """of the reply to a request that submits, for the journal"""
    most_followed_per_s: Figure = 0.0

    def streams(self) -> dict[Stream, Request]:
        """Return the bystanders by the stream of their requests."""
        return dict(zip(OF_A_SERVICE, self.bystanders, strict=False))

    def words(self) -> dict[str, str]:
        """Return the requests in words, by the column of their stream."""
        submits = " or ".join(dict.fromkeys(request.words for request in self.submit))
        return {Stream.TASKS.column: submits} | {s.column: r.words for s, r in self.streams().items()}

    def check(self) -> "Asked":
        """Return it; raises BlockpointError for what cannot be asked."""
        check_headers("headers", self.headers)
        if not self.submit:
            raise BlockpointError("[submit]: name the request that starts a task")
        for request in self.submit:
            request.check("[submit]", FIELDS)
            if _wants_payload(request) and not self.payloads:
                raise BlockpointError('[submit]: {payload} is a line of a file: name it, payloads = "FILE"')
        for request in self.bystanders:
            request.check("[[bystander]]")
        if len(self.bystanders) > len(OF_A_SERVICE):
            raise BlockpointError(f"[[bystander]]: {len(OF_A_SERVICE)} at most, not {len(self.bystanders)}")
        return self


def followed_every(most_per_s: float, rate_per_s: float) -> int:
    """Return of how many tasks one is followed at a rate."""
    return max(math.ceil(rate_per_s / most_per_s), 1) if most_per_s else 1


def fields_of(body: bytes, wanted: Collection[str]) -> dict[str, str]:
    """Return those fields of a JSON reply that it has."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    found = document.items() if isinstance(document, dict) else ()
    return {name: str(value) for name, value in found if name in wanted}


def _wants_payload(request: Request) -> bool:
    texts: tuple[Any, ...] = (request.path, request.body, *request.headers.values())
    return any("payload" in Template(text).fields for text in texts)


def filled(request: Request, values: dict[str, str]) -> Request:
    """Return a request with its fields filled in."""
    return msgspec.structs.replace(
        request,
        path=Template(request.path).fill(values),
        headers={name: Template(value).fill(values) for name, value in request.headers.items()},
        body=Template(request.body).fill(values),
    )
