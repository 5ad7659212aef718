"""A run against a service of somebody's own: its requests, what counts as an answer, whom it says it is."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np

from loadtests.openloop.recorder import task_ids
from loadtests.openloop.schedule import PlannedStep, Schedule
from loadtests.openloop.service_address import ServiceAddress
from loadtests.openloop.session import LoadSession, SessionLimits, Settled
from loadtests.openloop.wire import Reply
from results.service import ID_HEADER, Asked, Request, fields_of, followed_every
from results.template import Template
from results.terms import Stream

_MIX_SEED = 7


class _Rendered:
    """One request, laid out for all that changes in it."""

    def __init__(self, request: Request, address: ServiceAddress, *, carries_id: bool) -> None:
        headers = {"Host": address.authority, "Accept": "*/*", **address.asked.headers, **request.headers}
        if request.body and "content-type" not in map(str.lower, headers):
            headers["Content-Type"] = "application/json"
        lines = [f"{name}: {value}" for name, value in headers.items()]
        if carries_id:
            lines.append(f"{ID_HEADER}: {{id}}")
        head = "\r\n".join([f"{request.method} {address.prefix}{request.path} HTTP/1.1", *lines])
        self._head, self._body = Template(head), Template(request.body)
        self._bodied = bool(request.body) or request.method in ("POST", "PUT", "PATCH")

    def __call__(self, values: Mapping[str, str]) -> bytes:
        """Return the request as bytes."""
        body = self._body.fill(values).encode()
        length = f"\r\nContent-Length: {len(body)}" if self._bodied else ""
        return f"{self._head.fill(values)}{length}\r\n\r\n".encode("latin-1") + body


def service_requests(schedule: Schedule, address: ServiceAddress, tag: int) -> Callable[[int], bytes]:
    """Return the function from a row of the schedule to the bytes of its request."""
    asked = address.asked
    submits = [_Rendered(request, address, carries_id=True) for request in asked.submit]
    beside = {
        int(stream): _Rendered(request, address, carries_id=False)({})
        for stream, request in asked.streams().items()
    }
    chosen: list[int] = _chosen(schedule.arrival, asked).tolist()
    streams, arrivals = schedule.stream.tolist(), schedule.arrival.tolist()
    ids, payloads = task_ids(schedule.arrival, tag).tolist(), asked.payloads or [""]

    def request(row: int) -> bytes:
        if stream := streams[row]:
            return beside[stream]
        index = arrivals[row]
        values = {
            "id": f"{ids[row]:016x}",
            "index": str(index),
            "payload": payloads[index % len(payloads)],
        }
        return submits[chosen[row]](values)

    return request


def _chosen(arrival: np.ndarray, asked: Asked) -> np.ndarray:
    """Return which of the requests that submit each arrival is: by weight, and the same in every sharding."""
    edges = np.cumsum([request.weight for request in asked.submit])
    most = int(arrival.max(initial=-1)) + 1
    drawn = np.random.default_rng(_MIX_SEED).random(most) * edges[-1]
    return np.asarray(np.searchsorted(edges, drawn[arrival], side="right"))


def named(schedule: Schedule, asked: Asked) -> tuple[dict[int, tuple[str, str]], list[int]]:
    """Return method and path of each request by a number, and the number of each row of the schedule."""
    requests = {-number: request for number, request in enumerate(asked.submit)}
    requests |= {int(stream): request for stream, request in asked.streams().items()}
    tasks = schedule.stream == Stream.TASKS
    numbers = np.where(tasks, -_chosen(schedule.arrival, asked), schedule.stream).tolist()
    return {number: (each.method, each.path) for number, each in requests.items()}, numbers


class ServiceSession(LoadSession):
    """A session that knows the service's own answers, and writes down the tasks that are to be followed."""

    @classmethod
    def of(
        cls,
        schedule: Schedule,
        address: ServiceAddress,
        limits: SessionLimits,
        settled: Settled,
        *,
        tag: int,
        steps: Sequence[PlannedStep],
    ) -> Self:
        """Return the session of a schedule."""
        made = cls(schedule, service_requests(schedule, address, tag), address, limits, settled)
        made._serve(address.asked, schedule, tag, steps)
        return made

    def _serve(self, asked: Asked, schedule: Schedule, tag: int, steps: Sequence[PlannedStep]) -> None:
        """Take note of what counts as an answer, and of whom to follow."""
        chosen = _chosen(schedule.arrival, asked).tolist()
        beside = {int(stream): request for stream, request in asked.streams().items()}
        streams = schedule.stream.tolist()
        self._expected = [
            beside[stream] if stream else asked.submit[which]
            for stream, which in zip(streams, chosen, strict=True)
        ]
        self._journal = os.open(asked.journal, os.O_WRONLY | os.O_APPEND) if asked.journal else -1
        every = followed_every(asked.most_followed_per_s, max(step.rate_per_s for step in steps))
        followed = (schedule.stream == Stream.TASKS) & (schedule.arrival % every == 0)
        self._followed = (followed & bool(asked.journal)).tolist()
        self._ids = task_ids(schedule.arrival, tag).tolist()
        self._fields = asked.reply_fields

    def _answered(self, row: int, reply: Reply, at_ns: int) -> None:
        good = self._expected[row].expects(reply.status)
        if good and self._followed[row]:
            self._note(row, reply, at_ns)
        self._settle(row, reply, at_ns, good=good)

    def _note(self, row: int, reply: Reply, at_ns: int) -> None:
        """Write down a task that was accepted."""
        told = fields_of(reply.body, self._fields) if self._fields else {}
        line = json.dumps([self._ids[row], at_ns, told], separators=(",", ":"))
        os.write(self._journal, f"{line}\n".encode())
