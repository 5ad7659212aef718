"""A service as its file declares it: how it is started, and what it is asked."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from harness.service.declaration import Command, CompletionsSection, DrillSection, ServiceSection
from harness.service.webhook import FIELD
from results.errors import BlockpointError
from results.service import Asked, Request, filled
from results.template import Template

UNKNOWN_YET: Final = "http://webhook"
"""in the place of a webhook's URL until there is one"""
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
    drill: DrillSection

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

    @property
    def called_back(self) -> bool:
        """Whether it calls back for each task that has ended."""
        return self.completions.source == "webhook"

    def asked(self, url: str = "", webhook: str = "") -> Asked:
        """Return what it is asked at its URL, or at that of the one that was started.

        `webhook`: where it is to call back, once that is known.
        """
        declared = self.declared
        fields = {FIELD: webhook or UNKNOWN_YET} if self.called_back else {}
        return Asked(
            name=self.name,
            url=url or declared.url,
            headers={name: secret(value) for name, value in declared.headers.items()},
            verify=declared.verify,
            ca=str(self.folder / declared.ca) if declared.ca else "",
            submit=[_with_secrets(_knowing(request, fields)) for request in self.submit],
            bystanders=[_with_secrets(request) for request in self.bystanders],
            payloads=list(self.payloads),
        ).check()


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


def _knowing(request: Request, known: Mapping[str, str]) -> Request:
    """Return a request with those of its fields filled in that are known before it is sent."""
    texts = (request.path, request.body, *request.headers.values())
    values = {name: f"{{{name}}}" for text in texts for name in Template(text).fields} | dict(known)
    return filled(request, values)


def _with_secrets(request: Request) -> Request:
    headers = {name: secret(value) for name, value in request.headers.items()}
    return msgspec.structs.replace(request, headers=headers)
