"""A service that runs: what it was started from, and what can be asked of it before a trial."""

import contextlib
import secrets
import ssl
import time
from pathlib import Path
from typing import Any

import msgspec

from harness.service.asking import Answer, Asking, why
from harness.service.completions import await_called_back, await_polled, await_recorded
from harness.service.journal import note
from harness.service.service import Service
from harness.target.broker import write_privately
from harness.target.processes import Child, Family, died
from harness.target.target import Target
from loadtests.openloop.endpoint import SERVICE
from results.errors import BlockpointError
from results.schema import Subject
from results.service import ID_HEADER, VARIANT, Asked, Request, fields_of, filled
from results.waiting import wait_until
from targets.settings import Settings

ASK_LIMIT_S = 10.0
CALM_S, CALM_LOOKS, CALM_LIMIT_S = 0.2, 5, 60.0
"""a service that we did not start is left to itself until it has answered so often, each within that time"""
SHOWN_BYTES = 200


def subject_of(service: Service) -> Subject:
    """Return what the manifest says of it: its requests, never its headers."""
    seen = {"observe": "ledger"}.get(service.completions.source, service.completions.source)
    return msgspec.convert(
        {
            "strategy": service.name,
            "variant": VARIANT,
            "summary": "a service of its own, as it is",
            "services": {},
            "workers": len(service.declared.workers),
            "completions": seen,
            "max_attempts": service.completions.attempts,
            "asked": service.asked("http://127.0.0.1").words(),
            "bystanders": [stream.column for stream in service.asked("http://127.0.0.1").streams()],
        },
        Subject,
    )


class ServiceTarget(Target):
    """A service that is up, started by us or running elsewhere."""

    def __init__(self, service: Service, asked: Asked, ledger: Path, family: Family) -> None:
        settings = Settings(nonce="", ledger=ledger)
        super().__init__(subject_of(service), asked.url, settings, None, family)
        self.service = service
        self.asked = asked
        self.recorder: Child | None = None
        """the process of ours that sees its tasks end, where there is one"""
        self.described = ledger.parent / "service.json"
        self.first_task_s = 0.0
        """how long a first task took, from when it was sent to when it was seen to have ended"""
        self._asking = Asking(asked, ASK_LIMIT_S)
        self._index = 0

    @property
    def host(self) -> str:
        """What the generator gets as `--host`; the file holds secrets and is ours alone."""
        if not self.described.exists():
            write_privately(self.described, msgspec.json.encode(self.asked).decode())
        return f"{SERVICE}{self.described}"

    def hang_up(self) -> None:
        """Close our own connection: one that was idle during a trial may be closed at its other end."""
        self._asking.close()

    def check(self) -> None:
        """Raise BlockpointError where one of its processes has exited, or what sees its tasks end."""
        super().check()
        if self.recorder and not self.recorder.running:
            raise died(f"what sees the tasks of {self.subject.strategy} end", self.recorder)

    def web_pids(self) -> set[int]:
        """Return none: which of its processes answer is its own affair."""
        return set()

    def preflight(self, kind: str) -> dict[str, Any]:  # noqa: ARG002
        """Ask each of its requests once; raises BlockpointError where an answer is not an expected one."""
        self.hang_up()
        for request in self.asked.bystanders:
            self.expect("[[bystander]]", request)
        if not self.service.started:
            self._calm()
        reader, sent_s = self.reader(), time.monotonic()
        task_id, answer = self.submitted()
        completions = self.service.completions
        if completions.source == "poll":
            await_polled(completions, self._asking, task_id, answer)
        elif completions.source == "webhook":
            await_called_back(reader, task_id, self.check, self._refused)
        elif completions.source == "observe":
            await_recorded(reader, task_id, self.check)
        self.first_task_s = time.monotonic() - sent_s
        return {}

    def submit(self, kind: str) -> int:  # noqa: ARG002
        """Submit a task that is followed like the trial's and counted nowhere; raises like `preflight`."""
        self.hang_up()
        task_id, answer = self.submitted()
        if self.asked.journal:
            note(self.asked.journal, task_id, fields_of(answer.body, self.asked.reply_fields))
        return task_id

    def submitted(self) -> tuple[int, Answer]:
        """Submit one task; returns its id and the answer. Raises like `preflight`."""
        task_id = secrets.token_hex(8)
        self._probes.add(int(task_id, 16))
        payloads = self.asked.payloads or [""]
        values = {"id": task_id, "index": "0", "payload": payloads[self._index % len(payloads)]}
        self._index += 1
        request = filled(self.asked.submit[self._index % len(self.asked.submit)], values)
        carrying = msgspec.structs.replace(request, headers={**request.headers, ID_HEADER: task_id})
        return int(task_id, 16), self.expect("[submit]", carrying)

    def expect(self, where: str, request: Request) -> Answer:
        """Return an answer that counts as one; raises BlockpointError for any other, with its last lines."""
        self.check()
        try:
            answer = self._asking.ask(request)
        except OSError as error:
            raise BlockpointError(
                f"{where}: {request.words} at {self.url}: {why(error)}{self._said()}"
            ) from None
        if not request.expects(answer.status):
            wanted = ", ".join(map(str, request.expect)) or "2xx"
            shown = answer.body[:SHOWN_BYTES].decode(errors="replace").strip()
            raise BlockpointError(
                f"{where}: {request.words} was answered with status {answer.status}, not {wanted}"
                f"{f': {shown}' if shown else ''}{self._said() if answer.status >= 500 else ''}"
            )
        return answer

    def await_answer(self) -> None:
        """Wait until it answers at its health path; raises BlockpointError where it does not."""
        request = Request(path=self.service.health)
        last = "no answer"

        def up() -> bool:
            nonlocal last
            self._refuse_dead([child for child in self.children() if child not in self.workers])
            try:
                last = f"status {(answer := self._asking.ask(request)).status}"
            except ssl.SSLCertVerificationError as error:
                raise BlockpointError(f"{self.url}: {why(error)}") from None
            except OSError as error:
                last = why(error)
                return False
            return 200 <= answer.status < 400

        limit_s = self.service.declared.start_within
        if not wait_until(up, limit_s, 0.1):
            late = f"{self.subject.strategy} is not up after {limit_s:g} s"
            raise BlockpointError(f"{late}: {request.words} at {self.url}: {last}{self._said()}")

    def _calm(self) -> None:
        """Wait until what an earlier trial left behind no longer holds up its answers."""
        quick = 0

        def calm() -> bool:
            nonlocal quick
            since_s = time.monotonic()
            for request in self.asked.bystanders:
                with contextlib.suppress(OSError):
                    self._asking.ask(request)
            quick = quick + 1 if time.monotonic() - since_s < CALM_S else 0
            return quick >= CALM_LOOKS

        if not wait_until(calm, CALM_LIMIT_S, CALM_S):
            raise BlockpointError(f"{self.url} does not answer within {CALM_S:g} s even without any load")

    def _refused(self) -> str:
        """Return which callbacks were refused, where any were."""
        said = self.recorder.log_tail() if self.recorder else ""
        return f":\n{said}" if said else ""

    def _said(self) -> str:
        """Return the last lines of what we started, where there are any."""
        said = "\n".join(filter(None, (child.log_tail() for child in (*self.workers, *self.web))))
        return f"; it said last:\n{said}" if said else ""
