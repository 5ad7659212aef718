"""What `blockpoint.toml` says of a service: its sections, each key once with its meaning."""

from typing import Annotated, Any, Literal

import msgspec

from results.service import Request

Positive = Annotated[float, msgspec.Meta(gt=0, le=3600)]
Command = str | list[str]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class ServiceSection(Section, frozen=True, kw_only=True):
    """`[service]`: how it is started, or where it runs."""

    name: str = ""
    """in the report; by default that of the file's folder"""
    command: Command = ""
    """starts it, with `{port}` where it is to listen"""
    workers: list[Command] = []
    """what runs beside it"""
    server: Literal["", "redis", "postgresql", "rabbitmq"] = ""
    """one to start for it, empty and ended again; its URL stands for `{redis_url}` and the like"""
    environment: dict[str, str] = {}
    """all that it gets besides PATH, HOME and the like; `${NAME}` is ours"""
    cwd: str = "."
    """where it works, seen from the file's folder"""
    health: str = ""
    """a path that is answered once it is up; by default the first bystander's"""
    start_within: Positive = 30.0
    """seconds"""
    bystander_rate: Positive | None = None
    """requests/s to each bystander; by default the profile's"""
    url: str = ""
    """where it runs already, with the prefix of all paths"""
    headers: dict[str, str] = {}
    """of every request; `${NAME}` is taken from the environment and written nowhere"""
    ca: str = ""
    """a file of certificates that are trusted, seen from the file's folder"""
    verify: bool = True
    """refuse a certificate that nobody known has signed"""


class RequestSection(Section, frozen=True, kw_only=True):
    """`[submit]` and `[[bystander]]`: a request."""

    method: str = ""
    path: str = "/"
    headers: dict[str, str] = {}
    body: str | dict[str, Any] | list[Any] = ""
    """a text, or what is to be sent as JSON"""
    expect: int | list[int] = []
    """statuses that are an answer; by default each 2xx"""
    weight: float = 1.0
    """`[[submit]]`: how often it comes beside the others"""
    payloads: str = ""
    """`[submit]`: a file, a line of which stands for `{payload}`"""

    def request(self, usual_method: str) -> Request:
        """Return it as it is sent."""
        body = self.body if isinstance(self.body, str) else msgspec.json.encode(self.body).decode()
        expect = [self.expect] if isinstance(self.expect, int) else self.expect
        return msgspec.convert(
            {
                "method": self.method.upper() or usual_method,
                "path": self.path,
                "headers": self.headers,
                "body": body,
                "expect": expect,
                "weight": self.weight,
            },
            Request,
        )


class CompletionsSection(Section, frozen=True, kw_only=True):
    """`[completions]`: where it is seen that a task has ended."""

    source: Literal["none", "poll", "webhook", "observe"] = "none"
    path: str = ""
    """`poll`: with `{id}`, or with a field of the reply to the request that submitted"""
    field: str = "status"
    """`poll`, `webhook`: of the JSON that is answered, or called back with; `a.b` is `b` within `a`"""
    equals: str | bool | int | list[str] = "done"
    """`poll`, `webhook`: the field's value once the task has ended"""
    failed: str | list[str] = []
    """`poll`, `webhook`: its value where the task has failed"""
    every: Positive = 0.25
    """`poll`: seconds between two looks at one task"""
    attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    """`observe`: runs that a failing task gets in all"""
    most_per_s: Positive = 50.0
    """`poll`: looks in all; where more tasks come, only some of them are followed"""
    listen: str = ""
    """`webhook`: HOST:PORT at which callbacks are taken; by default a free port of this machine alone"""
    webhook: str = ""
    """`webhook`: the URL by which the service reaches that, if it is another"""


class DrillSection(Section, frozen=True, kw_only=True):
    """`[drill]`: the load under which something of it is broken, and how long its tasks are waited for."""

    rate: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 20.0
    """tasks/s"""
    seconds: Annotated[float, msgspec.Meta(ge=1, le=600)] = 6.0
    """length of the load; the fault comes once some tasks have ended and another is under way"""
    settle: Positive = 5.0
    """seconds without any end, beyond the time that a task takes, after which none is expected any more"""


class Declaration(Section, frozen=True, kw_only=True):
    """The whole file, or the table `tool.blockpoint` of a `pyproject.toml`."""

    service: ServiceSection
    submit: RequestSection | list[RequestSection]
    bystander: list[RequestSection] = []
    completions: CompletionsSection = CompletionsSection()
    drill: DrillSection = DrillSection()
    objectives: dict[str, Any] = {}
    """`blockpoint verify` reads them"""
