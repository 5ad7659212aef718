"""Checksums of what was sealed: a `SHA256SUMS` beside the files, so that `sha256sum -c` works for anyone.

A digit that is flipped on a disk is still a number, and one flipped bit in the headers of parquet's pages
changes strings unnoticed: no other check would find either.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from results.base import SEALED_BESIDE
from results.errors import BlockpointError
from results.files import open_plain, read_plain, write_whole
from results.text import named

SUMS: Final = "SHA256SUMS"
MOST_BYTES: Final = 2**20
_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *]([^/\x00-\x1f]+)")


def seal(folder: Path, names: Iterable[str]) -> None:
    """Write `SHA256SUMS` of a folder's files; raises BlockpointError where that cannot be written."""
    write_whole(folder / SUMS, "".join(f"{_digest(folder / name)}  {name}\n" for name in names).encode())


def sums(folder: Path) -> Mapping[str, str]:
    """Return each sealed file's digest; none where the folder has no `SHA256SUMS`.

    Raises BlockpointError where it is damaged.
    """
    path = folder / SUMS
    try:
        lines = read_plain(path, MOST_BYTES).decode().splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BlockpointError(f"{named(path)}: cannot be read ({error})") from None
    found = [_LINE.fullmatch(line) for line in lines]
    if not all(found):
        raise BlockpointError(f"{named(path)}: not the checksums of a sealed folder")
    return {match[2]: match[1] for match in found if match}


def digest_of(path: Path, schema: int) -> str | None:
    """Return a file's digest as it was sealed; None where the format that it is of had none.

    Raises BlockpointError where there should be one.
    """
    digest = sums(path.parent).get(path.name)
    if digest is None and schema >= SEALED_BESIDE:
        raise BlockpointError(f"{named(path)}: damaged: no checksum stands beside it")
    return digest


def check(path: Path, data: bytes, digest: str | None) -> None:
    """Raise BlockpointError where a file's bytes are not those that were sealed; None checks nothing."""
    if digest is not None and hashlib.sha256(data).hexdigest() != digest:
        raise BlockpointError(f"{named(path)}: damaged, or changed by hand: not the bytes that were sealed")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open_plain(path) as file:
        while part := file.read(2**20):
            digest.update(part)
    return digest.hexdigest()
