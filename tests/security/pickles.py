"""Finds pickles in what a broker holds, however they are wrapped."""

import base64
import binascii
import contextlib
import json
import pickletools
import zlib
from collections.abc import Iterator
from typing import Any

DEEPEST = 6
SHORTEST = 6
"""bytes: of shorter texts, such as four letters of a random id read as base64, some happen to be pickles"""
PROTOCOLS = tuple(bytes([0x80, number]) for number in range(2, 6))


def pickled(blob: bytes) -> bool:
    """Say whether the bytes are a pickle of any protocol, or hold one of protocol 2 or later."""
    return _parses(blob, whole=True) or any(
        _parses(blob[start:], whole=False) for mark in PROTOCOLS for start in _places(blob, mark)
    )


def layers(blob: bytes, deepest: int = DEEPEST) -> Iterator[bytes]:
    """Yield the bytes and all that they can be read as: JSON's strings, base64, hex, and compressed data."""
    yield blob
    if deepest == 0:
        return
    for inner in _opened(blob):
        if inner != blob:
            yield from layers(inner, deepest - 1)


def found(blob: bytes) -> bool:
    """Say whether there is a pickle in any layer of the bytes."""
    return any(pickled(layer) for layer in layers(blob))


def _places(blob: bytes, mark: bytes) -> Iterator[int]:
    at = blob.find(mark)
    while at >= 0:
        yield at
        at = blob.find(mark, at + 1)


def _parses(blob: bytes, *, whole: bool) -> bool:
    operations = last = 0
    try:
        for _, _, position in pickletools.genops(blob):
            operations, last = operations + 1, position or 0
    except Exception:  # whatever it stumbles over, it is no pickle
        return False
    return operations > 1 and (not whole or last == len(blob) - 1 >= SHORTEST - 1)


def _opened(blob: bytes) -> Iterator[bytes]:
    with contextlib.suppress(ValueError, RecursionError):
        yield from (part for text in _strings(json.loads(blob)) for part in _encoded(text))
    with contextlib.suppress(binascii.Error, ValueError):
        yield base64.b64decode(blob, validate=True)
    with contextlib.suppress(binascii.Error, ValueError):
        yield base64.urlsafe_b64decode(blob)
    with contextlib.suppress(binascii.Error, ValueError):
        yield binascii.unhexlify(blob)
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(blob, wbits=47)  # with the header of zlib or of gzip


def _strings(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for key, value in document.items():
            yield from _strings(key)
            yield from _strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from _strings(value)


def _encoded(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "latin-1"):
        with contextlib.suppress(UnicodeEncodeError):
            yield text.encode(encoding)
