"""What could be wrong with the declaration of a service, said in a line."""

import itertools
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from harness.service.service import Service, argv
from harness.service.webhook import FIELD, host_and_port
from results.template import Template

NOWHERE_TOLD: Final = (
    "[completions] the service has to learn where to call back: name {webhook} in [submit], such as "
    '"{webhook}/{id}", or in [service] environment'
)


def faults(service: Service) -> Iterator[tuple[bool, str]]:
    """Yield what could be wrong, and whether it is; raises BlockpointError for what a part itself refuses."""
    yield from _faults_of_the_start(service)
    yield from _faults_of_the_questions(service)


def _faults_of_the_start(service: Service) -> Iterator[tuple[bool, str]]:
    """Yield what could be wrong with how it is started, or where it runs, and whether it is."""
    declared, started = service.declared, service.started
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
    servers = [f"{declared.server}_url"] if declared.server else []
    fields = ["port", *servers, *([FIELD] if service.called_back else [])]
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
    if service.called_back and (listen := service.completions.listen):
        host_and_port(listen)
    yield service.called_back and not _told_where(service), NOWHERE_TOLD
    service.asked("http://127.0.0.1")


def _told_where(service: Service) -> bool:
    """Say whether a service learns where it is to call back, or may know it: a port that was named."""
    declared = service.declared
    texts = [word for command in (declared.command, *declared.workers) for word in argv(command)]
    texts += declared.environment.values()
    for request in service.submit:
        texts += (request.path, request.body, *request.headers.values())
    return bool(service.completions.listen) or any(FIELD in Template(text).fields for text in texts)


def _plain(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.username or parts.query)
