"""JSON documents on disk: written whole or not at all, read strictly or refused in one line.

What is not finite has no place in JSON, and becomes `null` there: nothing is written that is not read again.
Documents of format 1 began with `crc32`, the CRC-32 of the rest of them without white space; since format 2
their checksums stand in `SHA256SUMS` (`results.sums`).
"""

import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from results.base import SCHEMA, SEALED_BESIDE, Versioned
from results.errors import BlockpointError
from results.files import read_plain, write_whole
from results.sums import check, digest_of
from results.text import named

D = TypeVar("D", bound=Versioned)

MOST_BYTES: Final = 64 * 2**20
DEEPEST: Final = 64
"""brackets within each other: deeper ones would exhaust whoever walks over them"""

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not the document; RecursionError where they nest too deeply"""

_MARK = re.compile(rb'\{"crc32":"([0-9a-f]{8})",')
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class _Header(msgspec.Struct):
    schema: int


def write_document(path: Path, document: Versioned) -> None:
    """Write a document so that a reader sees all of it or nothing, even after a crash.

    Raises BlockpointError where it cannot be written (a full disk) or could not be read again: what was
    there before stays.
    """
    write_whole(path, msgspec.json.format(encoded(named(path), document), indent=1) + b"\n")


def encoded(shown: str, document: Versioned) -> bytes:
    """Return a document in one line of JSON; raises BlockpointError where it could not be read again."""
    try:
        if odd := next(_not_finite(msgspec.to_builtins(document)), ""):
            raise ValueError(f"{odd} is no finite number")
        text = msgspec.json.encode(document)
        if 2 * len(text) > MOST_BYTES:
            raise ValueError(f"longer than {MOST_BYTES // 2} bytes")
        msgspec.json.decode(text, type=type(document))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise BlockpointError(
            f"{shown}: not written, for it could not be read again ({_reason(error)})"
        ) from None
    return text


def _not_finite(value: Any, name: str = "") -> Iterator[str]:
    """Yield the names of the numbers that JSON does not know."""
    if isinstance(value, float) and not math.isfinite(value):
        yield name
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _not_finite(inner, str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _not_finite(inner, name)


def read_document(path: Path, kind: type[D]) -> D:
    """Read a document; raises BlockpointError where it is missing, damaged, foreign or too new."""
    return decoded(named(path), _read(path), kind)


def read_sealed(path: Path, kind: type[D]) -> D:
    """Read a document that was sealed; raises BlockpointError, also where it is not what was sealed."""
    text = _read(path)
    document = decoded(named(path), text, kind)
    check(path, text, digest_of(path, document.schema))
    return document


def _read(path: Path) -> bytes:
    try:
        return read_plain(path, MOST_BYTES)
    except OSError as error:
        raise BlockpointError(
            f"{named(path)}: cannot be read ({error.strerror}); is this a campaign?"
        ) from None


def decoded(shown: str, text: bytes, kind: type[D]) -> D:
    """Return the document that a text is; `shown` names it in the BlockpointError where it is none."""
    if _depth(text) > DEEPEST:
        raise BlockpointError(f"{shown}: not a Blockpoint document: it nests too deeply")
    try:
        schema = msgspec.json.decode(text, type=_Header).schema
    except _UNREADABLE:
        raise BlockpointError(f"{shown}: not a Blockpoint document, or a truncated one") from None
    if schema < 1:
        raise BlockpointError(f"{shown}: there is no format {schema}; damaged or foreign")
    if schema > SCHEMA:
        raise BlockpointError(
            f"{shown}: written in format {schema}, this version reads up to {SCHEMA}; upgrade blockpoint"
        )
    try:
        return msgspec.json.decode(_checked(shown, text) if schema < SEALED_BESIDE else text, type=kind)
    except _UNREADABLE as error:
        raise BlockpointError(f"{shown}: damaged or foreign ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _depth(text: bytes) -> int:
    """Return how many brackets stand within each other at most."""
    marks = np.frombuffer(_STRING.sub(b"", text), np.uint8)
    opened, closed = (np.isin(marks, np.frombuffer(pair, np.uint8)) for pair in (b"[{", b"]}"))
    return int(np.cumsum(opened.astype(np.int32) - closed).max(initial=0))


def _checked(shown: str, text: bytes) -> bytes:
    """Return a text of format 1 without its checksum; raises BlockpointError where they do not agree."""
    compact = msgspec.json.format(text, indent=-1)
    mark = _MARK.match(compact)
    if mark is None:
        return text
    body = b"{" + compact[mark.end() :]
    if zlib.crc32(body) != int(mark[1], 16):
        raise BlockpointError(f"{shown}: damaged, or changed by hand: not what was written")
    return body
