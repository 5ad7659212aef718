"""The user of a locustfile that loads a service of somebody's own: it names requests, and nothing else."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import locust
import msgspec

from loadtests.openloop.options import LoadSettings, Option
from loadtests.openloop.scenario import Scenario, one_step
from loadtests.openloop.schedule import PlannedStep
from loadtests.openloop.service_address import announce, check_owned
from loadtests.openloop.user import OpenLoopUser, ending_on_bad_input
from results.errors import BlockpointError
from results.service import Asked, Request
from results.text import named

I_OWN = Option("i_own", "", "load this host, which is not the machine that you are at", in_web_ui=False)


def request(method: str, path: str, body: Any = "", *, expect: Sequence[int] = (), **more: Any) -> Request:
    """Return a request; a body that is no text is sent as JSON.

    `more`: `headers`, and `weight`, how often it comes beside others that submit. Raises BlockpointError.
    """
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    asked = {"method": method, "path": path, "body": text, "expect": list(expect), **more}
    try:
        return msgspec.convert(asked, Request)
    except msgspec.ValidationError as error:
        raise BlockpointError(f"{method} {path}: {error}") from None


def get(path: str, **more: Any) -> Request:
    """Return a GET request; see `request`."""
    return request("GET", path, **more)


def post(path: str, body: Any = "", **more: Any) -> Request:
    """Return a POST request; see `request`."""
    return request("POST", path, body, **more)


class ServiceUser(OpenLoopUser):
    """Sends its requests at their due times to `--host`; `--rate` counts those that submit."""

    abstract = True
    submit: ClassVar[Sequence[Request]]
    """by turns, according to their weights; `{id}`, `{index}` and `{payload}` are filled in"""
    bystanders: ClassVar[Sequence[Request]] = ()
    """cheap ones beside them, each at `--bystander-rate`"""
    headers: ClassVar[dict[str, str]] = {}
    """of every request"""
    payloads: ClassVar[str] = ""
    """a file beside the locustfile, whose lines are taken by turns for `{payload}`"""
    ca: ClassVar[str] = ""
    """a file of certificates to trust beside the system's"""
    steps: ClassVar[Callable[[LoadSettings], Sequence[PlannedStep]]] = staticmethod(one_step)
    options: ClassVar[Sequence[Option]] = ()
    """of its own, for `steps`"""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        cls.scenario = Scenario(cls.__name__.lower(), cls.steps, (I_OWN, *cls.options))
        super().__init_subclass__(**kwargs)

        def point(environment: Any, **_: Any) -> None:
            with ending_on_bad_input():
                if not environment.host:
                    raise BlockpointError("no service: give one with --host http://127.0.0.1:8000")
                asked = cls.asked(environment.host)
                check_owned(asked.url, [environment.parsed_options.i_own])
                environment.host = announce(asked)

        events: Any = locust.events
        events.init.add_listener(point)

    @classmethod
    def asked(cls, url: str) -> Asked:
        """Return what the service at that URL is asked; raises BlockpointError."""
        folder = Path(str(sys.modules[cls.__module__].__file__)).parent
        return Asked(
            name=cls.__name__,
            url=url,
            headers=cls.headers,
            ca=str(folder / cls.ca) if cls.ca else "",
            submit=list(cls.submit),
            bystanders=list(cls.bystanders),
            payloads=_lines(folder / cls.payloads) if cls.payloads else [],
        ).check()


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BlockpointError(f"payloads {named(file)}: cannot be read: {error}") from None
