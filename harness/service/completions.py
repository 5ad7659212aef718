"""Sees, before a trial, that a task's end is seen: else no trial would tell when the work falls behind."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from harness.service.asking import Answer, Asking, why
from harness.service.declaration import CompletionsSection
from harness.service.ends import ended, value_in
from harness.service.follower import looking
from harness.target.ledgers import LedgerReader
from results.errors import BlockpointError
from results.service import fields_of
from results.template import Template
from results.terms import Moment
from results.waiting import wait_until

FIRST_LIMIT_S: Final = 60.0
NOT_RECORDED_LIMIT_S: Final = 15.0
ACCEPTED_LIMIT_S: Final = 5.0
"""from the end of a task whose reply is there; what accepts it records that in the same breath"""
MIDDLEWARE: Final = "`app.add_middleware(observe.Requests)` where it accepts tasks"
WRAPPED: Final = "`observe.observed` on what runs them, or what docs/observe.md names for their queue"


def reply_fields(completions: CompletionsSection) -> list[str]:
    """Return the fields of a reply by which a task is asked for."""
    return [name for name in Template(completions.path).fields if name != "id"]


def await_polled(completions: CompletionsSection, asking: Asking, task_id: int, answer: Answer) -> None:
    """Wait until the service says that a task has finished; raises BlockpointError where it does not."""
    request = looking(completions, task_id, fields_of(answer.body, reply_fields(completions)))
    last = ""

    def over() -> bool:
        nonlocal last
        try:
            found = asking.ask(request)
        except OSError as error:
            raise BlockpointError(f"[completions]: {request.words}: {why(error)}") from None
        value = value_in(found.body, completions.field)
        last = f"status {found.status}, {completions.field} {value!r}"
        if value is None and found.status >= 400 and found.status != 404:
            raise BlockpointError(f"[completions]: {request.words}: status {found.status}")
        how = ended(completions, found.body)
        if how is Moment.FAILED:
            raise BlockpointError(f"[completions]: a first task has failed: {request.words}: {last}")
        return how is Moment.FINISHED

    if not wait_until(over, FIRST_LIMIT_S, completions.every):
        raise BlockpointError(
            f"[completions]: {request.words}: after {FIRST_LIMIT_S:.0f} s a first task still runs: {last}; "
            f"it ends where {completions.field} equals {completions.equals!r}"
        )


def await_called_back(
    reader: LedgerReader, task_id: int, check: Callable[[], None], refused: Callable[[], str]
) -> None:
    """Wait until the service calls back for a task; raises BlockpointError where it does not.

    `refused`: says which callbacks were, if any.
    """

    def seen() -> Counter[Moment]:
        check()
        return reader.moments(task_id)

    if not wait_until(lambda: bool(seen()), FIRST_LIMIT_S):
        raise BlockpointError(
            f"[completions]: no callback for a first task within {FIRST_LIMIT_S:.0f} s: once it has ended, "
            f"the service has to POST to {{webhook}}/{{id}}{refused()}"
        )
    if not seen()[Moment.FINISHED]:
        raise BlockpointError("[completions]: a first task has failed, by its callback")


def await_recorded(reader: LedgerReader, task_id: int, check: Callable[[], None]) -> None:
    """Wait until a task is recorded, acceptance and end; raises BlockpointError, with what to add, where not.

    Tasks whose acceptance nobody records could not be told from such as were never submitted: those that
    wait, when a trial ends, would be unaccounted for.
    """

    def seen() -> Counter[Moment]:
        check()
        return reader.moments(task_id)

    def over() -> bool:
        found = seen()
        return bool(found[Moment.FINISHED] or found[Moment.FAILED])

    if not wait_until(lambda: bool(seen()), NOT_RECORDED_LIMIT_S):
        raise BlockpointError(
            f"[completions]: nothing was recorded of a first task: the service needs {MIDDLEWARE}, "
            f"and {WRAPPED}"
        )
    if not wait_until(over, FIRST_LIMIT_S):
        missing = "" if seen()[Moment.STARTED] else f"; the service needs {WRAPPED}"
        raise BlockpointError(
            f"[completions]: of a first task only this was recorded within {FIRST_LIMIT_S:.0f} s: "
            f"{_names(seen())}{missing}"
        )
    if not wait_until(lambda: bool(seen()[Moment.ACCEPTED]), ACCEPTED_LIMIT_S):
        raise BlockpointError(
            f"[completions]: of a first task {_names(seen())} was recorded, and not that it was accepted: "
            f"the service needs {MIDDLEWARE}"
        )


def _names(moments: Counter[Moment]) -> str:
    return ", ".join(moment.name.lower() for moment in sorted(moments))
