"""JSON documents on disk: written whole or not at all, read strictly or refused in one line."""

import contextlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec

from results.errors import BlockpointError
from results.schema import SCHEMA, Document

D = TypeVar("D", bound=Document)

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on bytes that are not the document; RecursionError where they nest too deeply"""


class _Header(msgspec.Struct):
    schema: int


def write_document(path: Path, document: Document) -> None:
    """Write a document so that a reader sees all of it or nothing, even after a crash.

    Raises BlockpointError where it cannot be written (a full disk): what was there before stays.
    """
    text = msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
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
        return msgspec.json.decode(text, type=kind)
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:120]
        raise BlockpointError(f"{path}: damaged or foreign ({reason})") from None
