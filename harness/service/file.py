"""Reads `blockpoint.toml`, or the table `tool.blockpoint` of a `pyproject.toml`."""

import itertools
import os
import re
import shlex
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from harness.service.declaration import (
    Command,
    CompletionsSection,
    Declaration,
    RequestSection,
    ServiceSection,
)
from results.errors import BlockpointError, unknown
from results.service import Asked, Request
from results.template import Template
from results.text import named

FILE: Final = "blockpoint.toml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OURS: Final = re.compile(r"\$\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True)
class Service:
    """A service as its file declares it, checked; secrets are filled in where it is asked."""

    name: str
    folder: Path
    """of the file: paths are seen from there"""
    declared: ServiceSection
    submit: tuple[Request, ...]
    bystanders: tuple[Request, ...]
    completions: CompletionsSection
    payloads: tuple[str, ...]

    @property
    def started(self) -> bool:
        """Whether we start it."""
        return bool(self.declared.command)

    @property
    def health(self) -> str:
        """The path by which it is seen to be up."""
        return self.declared.health or next((each.path for each in self.bystanders), "/")

    @property
    def workers(self) -> list[list[str]]:
        """The commands of what runs beside it."""
        return [argv(each) for each in self.declared.workers]

    def asked(self, url: str = "") -> Asked:
        """Return what it is asked at its URL, or at that of the one that was started."""
        declared = self.declared
        return Asked(
            name=self.name,
            url=url or declared.url,
            headers={name: secret(value) for name, value in declared.headers.items()},
            verify=declared.verify,
            ca=str(self.folder / declared.ca) if declared.ca else "",
            submit=[_with_secrets(request) for request in self.submit],
            bystanders=[_with_secrets(request) for request in self.bystanders],
            payloads=list(self.payloads),
        ).check()


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
        )
    except msgspec.ValidationError as error:
        raise BlockpointError(f"{named(path)}: {_said(error)}") from None
    return _checked(found, path)


def argv(command: Command) -> list[str]:
    """Return a command as a list of words."""
    try:
        return shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        raise BlockpointError(f"[service] command {command!r}: {error}") from None


def secret(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return a text with `${NAME}` taken from our environment; raises BlockpointError where it is not set."""

    def value(found: re.Match[str]) -> str:
        if found[1] not in environ:
            raise BlockpointError(f"${{{found[1]}}} is not set in the environment")
        return environ[found[1]]

    return _OURS.sub(value, text)


def _with_secrets(request: Request) -> Request:
    headers = {name: secret(value) for name, value in request.headers.items()}
    return msgspec.structs.replace(request, headers=headers)


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
    for against, reason in (*_faults_of_the_start(service.declared), *_faults_of_the_questions(service)):
        if against:
            raise BlockpointError(f"{named(path)}: {reason}")
    return service


def _faults_of_the_start(declared: ServiceSection) -> Iterator[tuple[bool, str]]:
    """Yield what could be wrong with how it is started, or where it runs, and whether it is."""
    started = bool(declared.command)
    own = declared.workers or declared.server or declared.environment
    yield (
        started == bool(declared.url),
        "[service] needs either a command that starts it or the url of one that runs",
    )
    yield not started and bool(own), "[service] has a url: what belongs to it is not started here"
    yield (
        not (started or _plain(declared.url)),
        f"url {declared.url!r} is not http://HOST:PORT/PREFIX or https",
    )
    commands = [argv(each) for each in (declared.command, *declared.workers)]
    yield started and not all(commands), "[service] has an empty command"
    fields = ["port", *([f"{declared.server}_url"] if declared.server else [])]
    for text in (*itertools.chain(*commands), *declared.environment.values()):
        Template(text).check("[service]", fields)
    named_port = "port" in Template(" ".join(commands[0])).fields
    yield started and not named_port, "[service] command has to name {port}, where it is to listen"


def _faults_of_the_questions(service: Service) -> Iterator[tuple[bool, str]]:
    """Yield the same of what it is asked."""
    source, path = service.completions.source, Template(service.completions.path)
    asks_of_none = source == "poll" and not path.fields
    yield asks_of_none, "[completions] path needs {id}, or a field of the reply such as {task_id}"
    unrecorded = source == "observe" and not service.started
    yield unrecorded, "[completions] only what is started here can record for blockpoint.observe"
    beside = 'name a [[bystander]], a cheap request beside the tasks, such as path = "/health"'
    yield not service.bystanders, beside
    service.asked("http://127.0.0.1")


def _plain(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.username or parts.query)


def _said(error: msgspec.ValidationError) -> str:
    words, _, place = str(error).rstrip("`").partition(" - at `$")
    return f"{place.lstrip('.')}: {words}" if place else words
