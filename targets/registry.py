"""How the installed strategies are found: ours, and those of other packages."""

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from results.errors import BlockpointError, lookup, unknown
from targets.soundness import in_words
from targets.strategy import Definition, Variant

GROUP = "blockpoint.strategies"
OURS = "targets.strategies."
"""the modules of this package's own strategies"""
STRATEGIES = Path(__file__).parent / "strategies"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""of a strategy or variant: it stands in commands, folders and import strings"""


def installed() -> list[tuple[str, Definition | BlockpointError]]:
    """Return every registered strategy by name, in its place; last, why the others cannot be used."""
    sound: list[tuple[str, Definition]] = []
    unsound: list[tuple[str, BlockpointError]] = []
    for name, entries in _entries().items():
        try:
            sound.append((name, _definition(name, entries)))
        except BlockpointError as error:
            unsound.append((name, error))
        if _is_ours(entries[0]):
            unsound += [(entry.value, _taken(name, entry)) for entry in entries[1:]]
    sound.sort(key=lambda each: (each[1].place, each[0]))
    return [*sound, *unsound]


def find(name: str) -> Definition:
    """Return one strategy, loading no other; raises BlockpointError where there is none of that name."""
    return _definition(name, lookup("strategy", name, _entries()))


def from_elsewhere(name: str) -> bool:
    """Say whether that strategy is none of this package's own."""
    entries = _entries().get(name)
    return not entries or not _is_ours(entries[0])


def split_name(target: str) -> tuple[str, str]:
    """Split `celery`, `celery_tuned` or `celery/tuned`; the variant is `default` where none is named."""
    names = _entries()
    strategy, slash, variant = target.partition("/")
    if strategy in names:
        return strategy, variant if slash else "default"
    for name in sorted(names, key=len, reverse=True):
        if target.startswith(f"{name}_"):
            return name, target.removeprefix(f"{name}_")
    raise unknown("strategy", target, names)


def _entries() -> dict[str, list[metadata.EntryPoint]]:
    """Return the entry points of the group by name, this package's own before all others of that name."""
    found: dict[str, list[metadata.EntryPoint]] = {}
    for entry in metadata.entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return {name: sorted(entries, key=lambda entry: not _is_ours(entry)) for name, entries in found.items()}


def _is_ours(entry: metadata.EntryPoint) -> bool:
    return entry.value.startswith(OURS)


def _taken(name: str, entry: metadata.EntryPoint) -> BlockpointError:
    return BlockpointError(f"strategy {name} ({entry.value}) is left out: the name is taken")


def _definition(name: str, entries: Sequence[metadata.EntryPoint]) -> Definition:
    if len(entries) > 1 and not _is_ours(entries[0]):
        values = ", ".join(entry.value for entry in entries)
        raise BlockpointError(f"strategy {name} is registered twice ({values}): uninstall all but one")
    try:
        found = entries[0].load()
    except (Exception, SystemExit) as error:
        raise BlockpointError(
            f"strategy {name} ({entries[0].value}) does not load: {in_words(error)}"
        ) from error
    if fault := _unfit(name, found):
        raise BlockpointError(f"strategy {name}: {entries[0].value} {fault}")
    return found  # type: ignore[no-any-return]


def _unfit(name: str, found: Any) -> str:
    if not isinstance(found, Definition):
        return "is not a targets.strategy.Definition"
    if found.name != name:
        return f"calls itself {found.name!r}: entry point and Definition need one name"
    variants: Any = found.variants
    if not isinstance(variants, Mapping) or not variants:
        return "has no variants: give it at least `default`"
    if not all(isinstance(variant, Variant) for variant in variants.values()):
        return "has variants that are no targets.strategy.Variant"
    if bad := [each for each in (name, *variants) if not NAME.fullmatch(str(each))]:
        return f"has the name {bad[0]!r}: use letters, digits, dashes and underscores"
    return ""
