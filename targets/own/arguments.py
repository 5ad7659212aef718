"""The arguments of each call: lines of a file, chosen by the task's id and the seed."""

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from results.errors import BlockpointError

MOST_BYTES: Final = 64 * 2**20
Call = list[Any] | dict[str, Any]
"""positional arguments, or those by name"""


@dataclass(frozen=True)
class Arguments:
    """All lines of a file; none where the task takes no arguments."""

    lines: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of JSON lines; raises BlockpointError, with the line's number, for what is none."""
        try:
            if path.stat().st_size > MOST_BYTES:
                raise BlockpointError(f"{path} is larger than {MOST_BYTES // 2**20} MiB")
            text = path.read_bytes()
        except OSError as error:
            raise BlockpointError(f"cannot read {path}: {error.strerror}") from None
        numbered = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if not numbered:
            raise BlockpointError(f"{path} has no line: write a JSON array or object on each")
        for number, line in numbered:
            try:
                msgspec.json.decode(line, type=Call)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BlockpointError(
                    f"{path}, line {number} is neither a JSON array of arguments nor an object of those by "
                    f"name: {error}"
                ) from None
        return cls(tuple(line for _, line in numbered))

    def of(self, task_id: int, seed: int) -> tuple[list[Any], dict[str, Any]]:
        """Return what a task's call gets, made anew: a call may change what it was given."""
        if not self.lines:
            return [], {}
        told: Call = msgspec.json.decode(self.line(task_id, seed))
        return (told, {}) if isinstance(told, list) else ([], told)

    def line(self, task_id: int, seed: int) -> bytes:
        """Return the line of a task."""
        return self.lines[chosen(task_id, seed, len(self.lines))]


def in_turn(arguments: Arguments, seed: int) -> Arguments:
    """Return the same for a timing: all lines equally often, so that a mean of few calls is that of many."""
    mixed = list(arguments.lines)
    random.Random(seed).shuffle(mixed)
    return InTurn(tuple(mixed))


@dataclass(frozen=True)
class InTurn(Arguments):
    """Arguments of which each line has its turn."""

    def line(self, task_id: int, seed: int) -> bytes:  # noqa: ARG002
        """Return the line of the call of that number."""
        return self.lines[task_id % len(self.lines)]


def chosen(task_id: int, seed: int, lines: int) -> int:
    """Return the index of a task's line: the same in every strategy, process and attempt."""
    digest = hashlib.blake2b(task_id.to_bytes(8), digest_size=8, key=seed.to_bytes(8)).digest()
    return int.from_bytes(digest) % lines
