"""Endpoints that accept tasks and tell how far they have come."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, HTTPException, Path

from results.terms import KINDS, Moment
from targets.ledger import ledger
from targets.metrics import Metrics
from targets.settings import Settings, variable
from targets.strategy import QueueFullError, Strategy, UnreachableError, dependencies_of
from targets.task import (
    Refusal,
    Registration,
    RegistrationAccepted,
    Task,
    TaskAccepted,
    TaskId,
    TaskRequest,
    TaskState,
    hex_id,
)
from targets.work import units_per_ms

STATISTICS_WRITES = 10.0
"""round trips of a registration's task of the kind `cache`, however long the others last"""
NO_DRILLS = "kill_first is for drills: this target was not started with BLOCKPOINT_DRILLS=1 and a ledger"

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "The body cannot be read"},
    403: {"model": Refusal, "description": "This target was not started for such a task"},
    413: {"model": Refusal, "description": "The body is too long"},
    503: {"model": Refusal, "description": "The queue is full, or the broker cannot be reached"},
}


def refuse_drills(request: TaskRequest, settings: Settings) -> None:
    """Raise HTTPException (403) where a task is to kill its process and the target was not made for that."""
    if request.kill_first and not (settings.drills and settings.ledger):
        raise HTTPException(403, NO_DRILLS)


def refuse_undoable(kind: str, settings: Settings) -> None:
    """Raise HTTPException (403) where the server is missing that such a task needs."""
    needed = KINDS[kind].needs
    if needed and not getattr(settings, needed):
        raise HTTPException(
            403, f"this target was started without {variable(needed)}, which tasks of kind {kind} need"
        )


def started_by(request: Registration, settings: Settings) -> list[Task]:
    """Return the tasks of a registration; raises HTTPException where one cannot be done."""
    for kind in request.kinds:
        refuse_undoable(kind, settings)
    written = {"cache": STATISTICS_WRITES} if request.parts else {}
    return [
        Task(
            id=part, kind=kind, units=written.get(kind) or request.duration_ms * units_per_ms(kind, settings)
        )
        for part, kind in zip(request.part_ids(), request.kinds, strict=True)
    ]


def submission(strategy: Strategy, settings: Settings, metrics: Metrics) -> APIRouter:
    """Return the routes under `/tasks` and `/users` that hand tasks to `strategy`."""
    router = APIRouter()
    dependencies = dependencies_of(strategy)
    record = ledger().record
    accepted = metrics.tasks.labels("accepted")
    rejected = metrics.tasks.labels("rejected")

    async def submit(task: Task, background: BackgroundTasks) -> None:
        record(task.id, Moment.RECEIVED)
        try:
            await strategy.submit(task, background)
        except QueueFullError:
            rejected.inc()
            raise HTTPException(503, "the queue is full; try again later") from None
        except UnreachableError:
            rejected.inc()
            raise HTTPException(503, "the broker cannot be reached; try again later") from None
        record(task.id, Moment.ACCEPTED)
        accepted.inc()

    @router.post("/tasks", status_code=202, responses=REFUSALS, dependencies=dependencies)
    async def create_task(request: TaskRequest, background: BackgroundTasks) -> TaskAccepted:
        """Accept one task; its id should be new, since a broker may drop the second of two."""
        refuse_drills(request, settings)
        refuse_undoable(request.kind, settings)
        task = Task(
            id=int(request.task_id, 16),
            kind=request.kind,
            units=request.duration_ms * units_per_ms(request.kind, settings),
            fail_first=request.fail_first,
            payload=request.payload,
            kill_first=request.kill_first,
        )
        await submit(task, background)
        return TaskAccepted(task_id=request.task_id)

    @router.post("/users/register", status_code=202, responses=REFUSALS, dependencies=dependencies)
    async def register(request: Registration, background: BackgroundTasks) -> RegistrationAccepted:
        """Register a user: a welcome e-mail, a notice to the admin and an update of the statistics."""
        tasks = started_by(request, settings)
        for task in tasks:
            await submit(task, background)
        return RegistrationAccepted(task_id=request.task_id, tasks=[hex_id(task.id) for task in tasks])

    @router.get("/tasks/{task_id}")
    async def task_state(task_id: Annotated[TaskId, Path()]) -> TaskState:
        """Say how far a task has come, by the library's own view or else by the ledger's."""
        number = int(task_id, 16)
        for source, state in (("library", await strategy.state(number)), ("ledger", ledger().state(number))):
            if state is not None:
                return TaskState.model_validate({"task_id": task_id, "state": state, "source": source})
        return TaskState(task_id=task_id, state="unknown", source="none")

    return router
