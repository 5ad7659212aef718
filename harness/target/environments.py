"""The environment of each strategy: its own libraries, made on first use, kept by the digest of its lock."""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import targets
from harness.target.versions import PYTHON, Pinned
from results.errors import BlockpointError, unknown
from results.locks import HeldError, held
from results.waiting import wait_until

MAKING_LIMIT_S = 600.0
"""while another process makes the same environment"""
_TARGETS: Final = Path(targets.__file__).parent
_OURS: Final = ("results", "targets")
"""packages that a target needs"""
_MADE: Final = "blockpoint-made"
_NAME: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


class NoEnvironmentError(BlockpointError):
    """The libraries or the server of a strategy cannot be had here, or not in the versions asked for."""


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

    One that needs nothing but FastAPI runs in ours. Raises BlockpointError where it cannot be made.
    """
    asked = Pinned.parse(name)
    folder = _TARGETS / "strategies" / asked.strategy
    requirements = folder / "requirements.in"
    if not requirements.exists():
        if asked.plain:
            return OWN
        requirements = _TARGETS / "requirements.in"
    lock = requirements.with_suffix(".txt")
    if not lock.exists():
        raise BlockpointError(
            f"strategy {asked.strategy} has no lock beside its requirements.in: run `make lock`"
        )
    pins = _pins(asked, requirements, lock)
    python = pins.pop(PYTHON, "")
    return _made(name, _relocked(name, requirements, lock, pins) if pins else lock.read_text(), python)


@cache
def environment_of_server(broker: str) -> Environment:
    """Return the environment that holds a broker's server; raises like `environment_of`."""
    return _made(broker, (_TARGETS / "brokers" / broker / "requirements.txt").read_text(), "")


def is_made(strategy: str) -> bool:
    """Say whether a strategy can be asked without making an environment first."""
    folder = _TARGETS / "strategies" / strategy
    lock = folder / "requirements.txt"
    return not (folder / "requirements.in").exists() or (
        lock.exists() and (_place(lock.read_text(), "") / _MADE).exists()
    )


def _pins(asked: Pinned, requirements: Path, lock: Path) -> dict[str, str]:
    """Return the versions by package, that of the strategy's own library among them."""
    pins = dict(asked.pins)
    if asked.version:
        own = _first(requirements)
        if not own:
            raise BlockpointError(
                f"strategy {asked.strategy} has no library of its own: name one, such as "
                f"{asked.strategy}@fastapi={asked.version}"
            )
        pins[own] = asked.version
    known = {PYTHON, *_names(lock.read_text())}
    for package in pins:
        if package not in known:
            raise unknown(f"package in the environment of {asked.strategy}", package, known)
    return pins


def _first(requirements: Path) -> str:
    """Return the library after which a strategy is called: the first that its requirements name."""
    if requirements.parent == _TARGETS:
        return ""
    return next(iter(_names(requirements.read_text())), "")


def _names(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if found := _NAME.match(line):
            yield found[1].lower()


def _relocked(name: str, requirements: Path, lock: Path, pins: Mapping[str, str]) -> str:
    """Return a lock that keeps to another but for some versions; a second run finds the same."""
    wanted = "".join(f"{package}=={version}\n" for package, version in sorted(pins.items()))
    digest = _digest(lock.read_text(), requirements.read_text(), wanted)
    kept = _environments() / "locks" / f"{digest}.txt"
    if not kept.exists():
        with _alone(kept.with_suffix(".making")):
            draft, constraints = kept.with_suffix(".draft"), kept.with_suffix(".in")
            shutil.copyfile(lock, draft)
            constraints.write_text(wanted)
            _uv(
                name,
                ["pip", "compile", requirements, "--constraint", constraints, "--output-file", draft],
                ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"],
            )
            draft.rename(kept)
    return kept.read_text()


def _made(name: str, lock: str, python: str) -> Environment:
    folder = _place(lock, python)
    interpreter = folder / "bin" / "python"
    if not (folder / _MADE).exists():
        with _alone(folder.with_name(f"{folder.name}.making")):
            if not (folder / _MADE).exists():
                _make(name, folder, lock, python or sys.executable)
    return Environment(str(interpreter), folder.name)


def _make(name: str, folder: Path, lock: str, python: str) -> None:
    print(
        f"making the environment of {name}, once ({len(list(_names(lock)))} packages)",
        file=sys.stderr,
        flush=True,
    )
    shutil.rmtree(folder, ignore_errors=True)
    _uv(name, ["venv", "--python", python, "--no-project", folder])
    requirements = folder / "requirements.txt"
    requirements.write_text(lock)
    _uv(
        name,
        ["pip", "install", "--python", folder / "bin" / "python", "--require-hashes", "-r", requirements],
    )
    _link_ours(folder)
    (folder / _MADE).touch()
    _call(folder, name)


def _call(folder: Path, name: str) -> None:
    """Let a person find an environment by its name."""
    link = folder.with_name(name)
    fresh = link.with_name(f"{folder.name}.link")
    fresh.symlink_to(folder.name)
    fresh.replace(link)


def _link_ours(folder: Path) -> None:
    """Put our packages where the environment finds them, and the names of our strategies."""
    (site,) = folder.glob("lib/python3*/site-packages")
    for package in _OURS:
        (site / package).symlink_to(_TARGETS.parent / package)
    own = metadata.distribution("blockpoint")
    info = next(Path(str(own.locate_file(""))).glob("blockpoint-*.dist-info"))
    (site / info.name).symlink_to(info)


def _place(lock: str, python: str) -> Path:
    """Return the folder of an environment; the place of our own packages is part of what it is made from."""
    return _environments() / _digest(lock, python or sys.executable, sys.version, str(_TARGETS))


def _environments() -> Path:
    """Return where environments are kept: beside our own, or in the user's cache where we must not write."""
    beside = Path(sys.prefix)
    if os.access(beside, os.W_OK):
        return beside / "environments"
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache_home) / "blockpoint" / "environments"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
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


def _uv(name: str, command: Sequence[str | Path], options: Sequence[str] = ()) -> None:
    """Run uv, without the network where that fails; raises BlockpointError with what it said last."""
    from uv import find_uv_bin

    words = [find_uv_bin(), *map(str, command), *options, "--quiet"]
    said = ""
    for further in ([], ["--offline"]):
        done = subprocess.run(
            [*words, *further],
            env=_for_uv(),
            cwd=_environments(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return
        said = said or done.stderr
    raise NoEnvironmentError(f"the environment of {name} cannot be made: {_reason(said)}")


def _for_uv() -> dict[str, str]:
    """Return our environment without what points to other projects; the index that pip uses counts for uv."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    if index := os.environ.get("PIP_INDEX_URL"):
        kept.setdefault("UV_DEFAULT_INDEX", index)
    return kept


def _reason(said: str) -> str:
    """Return uv's message in a line, without its drawing."""
    return " ".join(re.sub(r"[^\x20-\x7e]", " ", said).split())[-400:] or "uv said nothing"
