"""JSON documents on disk: written whole or not at all, read strictly or refused in one line."""

import os
from pathlib import Path
from typing import TypeVar

import msgspec

from results.errors import BlockpointError
from results.schema import SCHEMA, Document

D = TypeVar("D", bound=Document)


class _Header(msgspec.Struct):
    schema: int


def write_document(path: Path, document: Document) -> None:
    """Write a document so that a reader sees all of it or nothing, even after a crash."""
    text = msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_document(path: Path, kind: type[D]) -> D:
    """Read a document; raises BlockpointError where it is missing, damaged, foreign or too new."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BlockpointError(f"{path}: cannot be read ({error.strerror}); is this a campaign?") from None
    try:
        schema = msgspec.json.decode(text, type=_Header).schema
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BlockpointError(f"{path}: not a Blockpoint document, or a truncated one") from None
    if schema > SCHEMA:
        raise BlockpointError(
            f"{path}: written in format {schema}, this version reads up to {SCHEMA}; upgrade blockpoint"
        )
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BlockpointError(f"{path}: damaged or foreign ({error})") from None
