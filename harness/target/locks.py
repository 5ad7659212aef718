"""What the environment of a strategy is to hold: its lock, in the versions that were asked for."""

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

import targets
from harness.target.versions import PYTHON, Pinned
from results.errors import BlockpointError, unknown
from targets.registry import GROUP, from_elsewhere

TARGETS: Final = Path(targets.__file__).parent
_NAME: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")


@dataclass(frozen=True)
class Needs:
    """What was asked of an environment."""

    requirements: Path
    """`requirements.in`; its lock stands beside it"""
    pins: tuple[tuple[str, str], ...] = ()
    """versions by package, other than the lock's"""
    python: str = ""
    """a version of the interpreter; empty for the harness's own"""
    links: tuple[Path, ...] = ()
    """what the strategy's own distribution is made of, where it is none of ours"""

    @property
    def lock(self) -> str:
        """The text of the lock; raises BlockpointError where there is none."""
        try:
            return self.requirements.with_suffix(".txt").read_text()
        except OSError:
            shown = f"{self.requirements.parent.name}/{self.requirements.name}"
            raise BlockpointError(f"{shown} has no lock beside it: see docs/own-queue.md") from None


def needs_of(asked: Pinned) -> Needs | None:
    """Return what a strategy needs that the harness's environment does not have; None for nothing.

    Raises BlockpointError where a version is asked for of a package that it does not use.
    """
    folder = _folder(asked.strategy)
    own = folder / "requirements.in" if folder else None
    if own is None or not own.exists():
        if asked.plain:
            return None
        own = TARGETS / "requirements.in"
    links = _distribution(asked.strategy, folder) if folder and from_elsewhere(asked.strategy) else ()
    pins = _pins(asked, Needs(own))
    python = pins.pop(PYTHON, "")
    return Needs(own, tuple(sorted(pins.items())), python, links)


def names(text: str) -> Iterator[str]:
    """Yield the packages that requirements or a lock name."""
    for line in text.splitlines():
        if found := _NAME.match(line):
            yield found[1].lower()


def _folder(strategy: str) -> Path | None:
    """Return the folder of a strategy that is a package."""
    entry = _entry(strategy)
    try:
        spec = importlib.util.find_spec(entry.module) if entry else None
    except (ImportError, AttributeError, ValueError):
        return None
    places = list((spec and spec.submodule_search_locations) or ())
    return Path(places[0]) if places else None


def _entry(strategy: str) -> metadata.EntryPoint | None:
    entries = metadata.entry_points(group=GROUP, name=strategy)
    ours = [entry for entry in entries if not from_elsewhere(strategy) and entry.value.startswith("targets.")]
    return next(iter(ours or entries), None)


def _distribution(strategy: str, folder: Path) -> tuple[Path, ...]:
    """Return the top-level package that a strategy's folder lies in, and where its name is registered."""
    entry = _entry(strategy)
    assert entry is not None
    assert entry.dist is not None
    top = folder.parents[entry.module.count(".") - 1] if "." in entry.module else folder
    info = f"{entry.dist.name.replace('-', '_')}-{entry.dist.version}.dist-info"
    return top, Path(str(entry.dist.locate_file(info)))


def _pins(asked: Pinned, needs: Needs) -> dict[str, str]:
    """Return the versions by package, that of the strategy's own library among them."""
    pins = dict(asked.pins)
    if asked.version:
        shared = needs.requirements.parent == TARGETS
        own = None if shared else next(names(needs.requirements.read_text()), None)
        if not own:
            raise BlockpointError(
                f"strategy {asked.strategy} has no library of its own: name one, such as "
                f"{asked.strategy}@fastapi={asked.version}"
            )
        pins[own] = asked.version
    known = {PYTHON, *names(needs.lock)} if pins else set()
    for package in pins:
        if package not in known:
            raise unknown(f"package in the environment of {asked.strategy}", package, known)
    return pins
