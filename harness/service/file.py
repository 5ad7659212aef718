"""Reads `blockpoint.toml`, or the table `tool.blockpoint` of a `pyproject.toml`."""

import re
import tomllib
import types
import typing
from pathlib import Path
from typing import Any, Final

import msgspec

from harness.service.checks import faults
from harness.service.declaration import Declaration, RequestSection, ServiceSection
from harness.service.service import Service
from results.errors import BlockpointError, unknown
from results.text import named

FILE: Final = "blockpoint.toml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def read_service(path: Path) -> Service:
    """Read a service's file; raises BlockpointError in one line."""
    document = _document(path)
    _check_keys(document, Declaration, "the file")
    try:
        declared = msgspec.convert(document, Declaration)
        submits = declared.submit if isinstance(declared.submit, list) else [declared.submit]
        found = Service(
            name=_name(declared.service, path),
            folder=path.resolve().parent,
            declared=declared.service,
            submit=tuple(each.request("POST") for each in submits),
            bystanders=tuple(each.request("GET") for each in declared.bystander),
            completions=declared.completions,
            payloads=_payloads(path.parent, submits),
            drill=declared.drill,
        )
    except msgspec.ValidationError as error:
        raise BlockpointError(f"{named(path)}: {_said(error)}") from None
    return _checked(found, path)


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BlockpointError(f"{named(path)}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BlockpointError(f"{named(path)}: is no TOML: {error}") from None
    if path.name == "pyproject.toml":
        document = document.get("tool", {}).get("blockpoint", {})
    missing = [name for name in ("service", "submit") if name not in document]
    if missing:
        raise BlockpointError(f"{named(path)}: has no [{missing[0]}]; see docs/your-service.md")
    return document


def _check_keys(given: Any, wanted: Any, where: str) -> None:
    """Raise BlockpointError for a key that there is not, offering the nearest."""
    if isinstance(given, list):
        for each in given:
            _check_keys(each, wanted, where)
    elif isinstance(given, dict) and (section := _section(wanted)):
        fields = typing.get_type_hints(section)
        for key, value in given.items():
            if key not in fields:
                raise BlockpointError(f"{FILE}: {unknown(f'key in {where}', key, fields)}")
            _check_keys(value, fields[key], f"[{key}]")


def _section(wanted: Any) -> type[msgspec.Struct] | None:
    """Return the table that a type stands for, alone or in a list."""
    if typing.get_origin(wanted) in (list, types.UnionType, typing.Union):
        return next(filter(None, map(_section, typing.get_args(wanted))), None)
    return wanted if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) else None


def _name(declared: ServiceSection, path: Path) -> str:
    name = (
        declared.name or re.sub(r"[^A-Za-z0-9_-]", "-", path.resolve().parent.name).strip("-_") or "service"
    )
    if not _NAME.fullmatch(name):
        raise BlockpointError(f"{named(path)}: name {name!r}: use letters, digits, dashes and underscores")
    return name


def _payloads(folder: Path, submits: list[RequestSection]) -> tuple[str, ...]:
    lines: list[str] = []
    for file in dict.fromkeys(each.payloads for each in submits if each.payloads):
        try:
            lines += [line for line in (folder / file).read_text().splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise BlockpointError(f"[submit]: payloads {file!r} cannot be read: {error}") from None
    return tuple(lines)


def _checked(service: Service, path: Path) -> Service:
    for against, reason in faults(service):
        if against:
            raise BlockpointError(f"{named(path)}: {reason}")
    return service


def _said(error: msgspec.ValidationError) -> str:
    words, _, place = str(error).rstrip("`").partition(" - at `$")
    return f"{place.lstrip('.')}: {words}" if place else words
