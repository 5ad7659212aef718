"""JSON documents on disk: written whole or not at all, read strictly or refused in one line.

A document begins with `crc32`, the CRC-32 of the rest of it without white space: a digit that is flipped
on a disk is still a number, which no other check would find. Documents without it are read as they are.
What is not finite has no place in JSON, and becomes `null` there: nothing is written that is not read again.
"""

import contextlib
import math
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np

from results.errors import BlockpointError
from results.files import read_plain
from results.schema import SCHEMA, Document
from results.text import named

D = TypeVar("D", bound=Document)

MOST_BYTES: Final = 64 * 2**20
DEEPEST: Final = 64
"""brackets within each other: deeper ones would exhaust whoever walks over them"""

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not the document; RecursionError where they nest too deeply"""

_MARK = re.compile(rb'\{"crc32":"([0-9a-f]{8})",')
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class _Header(msgspec.Struct):
    schema: int


def write_document(path: Path, document: Document) -> None:
    """Write a document so that a reader sees all of it or nothing, even after a crash.

    Raises BlockpointError where it cannot be written (a full disk) or could not be read again: what was
    there before stays.
    """
    text = _encoded(path, document)
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        with partial.open("xb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise BlockpointError(f"{named(path)}: cannot be written ({error.strerror})") from None


def _encoded(path: Path, document: Document) -> bytes:
    """Return a document as it is written; raises BlockpointError where it would not be read again."""
    try:
        if odd := next(_not_finite(msgspec.to_builtins(document)), ""):
            raise ValueError(f"{odd} is no finite number")
        body = msgspec.json.encode(document)
        text = msgspec.json.format(b'{"crc32":"%08x",' % zlib.crc32(body) + body[1:], indent=1) + b"\n"
        if len(text) > MOST_BYTES:
            raise ValueError(f"longer than {MOST_BYTES} bytes")
        msgspec.json.decode(body, type=type(document))
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise BlockpointError(
            f"{named(path)}: not written, for it could not be read again ({_reason(error)})"
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
    shown = named(path)
    try:
        text = read_plain(path, MOST_BYTES)
    except OSError as error:
        raise BlockpointError(f"{shown}: cannot be read ({error.strerror}); is this a campaign?") from None
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
        return msgspec.json.decode(_checked(path, text), type=kind)
    except _UNREADABLE as error:
        raise BlockpointError(f"{shown}: damaged or foreign ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _depth(text: bytes) -> int:
    """Return how many brackets stand within each other at most."""
    marks = np.frombuffer(_STRING.sub(b"", text), np.uint8)
    opened, closed = (np.isin(marks, np.frombuffer(pair, np.uint8)) for pair in (b"[{", b"]}"))
    return int(np.cumsum(opened.astype(np.int32) - closed).max(initial=0))


def _checked(path: Path, text: bytes) -> bytes:
    """Return a document's text without its checksum; raises BlockpointError where they do not agree."""
    compact = msgspec.json.format(text, indent=-1)
    mark = _MARK.match(compact)
    if mark is None:
        return text
    body = b"{" + compact[mark.end() :]
    if zlib.crc32(body) != int(mark[1], 16):
        raise BlockpointError(f"{named(path)}: damaged, or changed by hand: not what was written")
    return body
