"""The environment of each strategy: its own libraries, made on first use, kept by the digest of its lock."""

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import blockpoint
from harness.target.locks import TARGETS, Needs, names, needs_of
from harness.target.uv import uv
from harness.target.versions import Pinned
from results.errors import BlockpointError
from results.locks import HeldError, held
from results.waiting import wait_until

MAKING_LIMIT_S = 600.0
"""while another process makes the same environment"""
_OURS: Final = (Path(blockpoint.__file__).parent, TARGETS.parent / "results", TARGETS)
"""packages that a target needs"""
_MADE: Final = "blockpoint-made"


@dataclass(frozen=True)
class Environment:
    """An interpreter with the libraries of a strategy."""

    python: str
    digest: str = ""
    """of all that it was made from; empty: it is our own"""


OWN: Final = Environment(sys.executable)


@cache
def environment_of(name: str) -> Environment:
    """Return a strategy's environment, made now where it is not there yet.

    One that needs nothing but FastAPI runs in ours. Raises NoEnvironmentError where it cannot be made, and
    BlockpointError for versions that make no sense.
    """
    needs = needs_of(Pinned.parse(name))
    return OWN if needs is None else _made(name, needs)


@cache
def environment_of_server(broker: str) -> Environment:
    """Return the environment that holds a broker's server; raises like `environment_of`."""
    return _made(broker, Needs(TARGETS / "brokers" / broker / "requirements.in"))


def is_made(strategy: str) -> bool:
    """Say whether a strategy can be asked without making an environment first."""
    needs = needs_of(Pinned(strategy))
    return needs is None or (_place(needs, needs.lock) / _MADE).exists()


def _made(name: str, needs: Needs) -> Environment:
    lock = _relocked(name, needs) if needs.pins else needs.lock
    folder = _place(needs, lock)
    if not (folder / _MADE).exists():
        with alone(folder.with_name(f"{folder.name}.making")):
            if not (folder / _MADE).exists():
                _make(name, folder, needs, lock)
    return Environment(str(folder / "bin" / "python"), folder.name)


def _make(name: str, folder: Path, needs: Needs, lock: str) -> None:
    count = len(list(names(lock)))
    print(f"making the environment of {name}, once ({count} packages)", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    uv(name, folder.parent, "venv", "--no-project", "--python", needs.python or sys.executable, folder)
    requirements = folder / "requirements.txt"
    requirements.write_text(lock)
    python = folder / "bin" / "python"
    uv(name, folder, "pip", "install", "--python", python, "--require-hashes", "-r", requirements)
    (site,) = folder.glob("lib/python3*/site-packages")
    for place in (*_OURS, _registered(), *needs.links):
        (site / place.name).symlink_to(place)
    _call(folder, name)
    (folder / _MADE).touch()


def _registered() -> Path:
    """Return where the names of our own strategies are registered."""
    places = Path(str(metadata.distribution("blockpoint").locate_file("")))
    return next(places.glob("blockpoint-*.dist-info"))


def _call(folder: Path, name: str) -> None:
    """Let a person find an environment by its name."""
    fresh = folder.with_name(f"{folder.name}.link")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(folder.with_name(name))


def _relocked(name: str, needs: Needs) -> str:
    """Return a lock that keeps to another but for some versions; a second run finds the same."""
    wanted = "".join(f"{package}=={version}\n" for package, version in needs.pins)
    digest = digest_of(needs.lock, needs.requirements.read_text(), wanted)
    kept = environments_folder() / "locks" / f"{digest}.txt"
    with alone(kept.with_suffix(".making")):
        if not kept.exists():
            draft, constraints = kept.with_suffix(".draft"), kept.with_suffix(".in")
            draft.write_text(needs.lock)
            constraints.write_text(wanted)
            options = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-header")
            files = (needs.requirements, "--constraint", constraints, "--output-file", draft)
            uv(name, kept.parent, "pip", "compile", *files, *options)
            draft.rename(kept)
    return kept.read_text()


def _place(needs: Needs, lock: str) -> Path:
    """Return the folder of an environment; where the code lies is part of what it is made from."""
    linked = map(str, (*_OURS, *needs.links))
    return environments_folder() / digest_of(lock, needs.python or sys.executable, sys.version, *linked)


def environments_folder() -> Path:
    """Return where environments are kept: beside our own, or in the user's cache where we must not write."""
    beside = Path(sys.prefix)
    if os.access(beside, os.W_OK):
        return beside / "environments"
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache_home) / "blockpoint" / "environments"


def digest_of(*parts: str) -> str:
    """Return the name of what is made from these."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@contextlib.contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Be the only one that makes something; whoever waits finds it made."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:

        def entered() -> bool:
            try:
                stack.enter_context(held(lock, str(os.getpid())))
            except HeldError:
                return False
            return True

        if not wait_until(entered, MAKING_LIMIT_S):
            raise BlockpointError(
                f"another process is making an environment for {MAKING_LIMIT_S:.0f} s: end it"
            )
        yield
