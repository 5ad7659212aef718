"""JSON documents on disk: written whole or not at all, read strictly or refused in one line.

A document begins with `crc32`, the CRC-32 of the rest of it without white space: a digit that is flipped
on a disk is still a number, which no other check would find. Documents without it are read as they are.
"""

import contextlib
import os
import re
import zlib
from pathlib import Path
from typing import TypeVar

import msgspec

from results.errors import BlockpointError
from results.schema import SCHEMA, Document

D = TypeVar("D", bound=Document)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not the document; RecursionError where they nest too deeply"""

_MARK = re.compile(rb'\{"crc32":"([0-9a-f]{8})",')


class _Header(msgspec.Struct):
    schema: int


def write_document(path: Path, document: Document) -> None:
    """Write a document so that a reader sees all of it or nothing, even after a crash.

    Raises BlockpointError where it cannot be written (a full disk): what was there before stays.
    """
    body = msgspec.json.encode(document)
    marked = b'{"crc32":"%08x",' % zlib.crc32(body) + body[1:]
    text = msgspec.json.format(marked, indent=1) + b"\n"
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise BlockpointError(f"{path}: cannot be written ({error.strerror})") from None


def read_document(path: Path, kind: type[D]) -> D:
    """Read a document; raises BlockpointError where it is missing, damaged, foreign or too new."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BlockpointError(f"{path}: cannot be read ({error.strerror}); is this a campaign?") from None
    try:
        schema = msgspec.json.decode(text, type=_Header).schema
    except _UNREADABLE:
        raise BlockpointError(f"{path}: not a Blockpoint document, or a truncated one") from None
    if schema < 1:
        raise BlockpointError(f"{path}: there is no format {schema}; damaged or foreign")
    if schema > SCHEMA:
        raise BlockpointError(
            f"{path}: written in format {schema}, this version reads up to {SCHEMA}; upgrade blockpoint"
        )
    try:
        return msgspec.json.decode(_checked(path, text), type=kind)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:120]
        raise BlockpointError(f"{path}: damaged or foreign ({reason})") from None


def _checked(path: Path, text: bytes) -> bytes:
    """Return a document's text without its checksum; raises BlockpointError where they do not agree."""
    compact = msgspec.json.format(text, indent=-1)
    mark = _MARK.match(compact)
    if mark is None:
        return text
    body = b"{" + compact[mark.end() :]
    if zlib.crc32(body) != int(mark[1], 16):
        raise BlockpointError(f"{path}: damaged, or changed by hand: not what was written")
    return body
