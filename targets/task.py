"""A task: what a client asks for and what travels to a worker."""

from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from results.terms import FANOUT_PARTS, KINDS

MAX_DURATION_MS = 60_000
MAX_PAYLOAD_CHARS = 65_536
MAX_FAIL_FIRST = 10
MAX_KILL_FIRST = 3

TaskId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="64 bits as 16 lowercase hex digits")]


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"should be one of {', '.join(KINDS)}")
    return kind


KindName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(KINDS)})]


def _number(value: Any) -> Any:
    if isinstance(value, bool | str):
        raise ValueError("should be a number")
    return value


A_NUMBER = BeforeValidator(_number)
"""refuses `true` and `"1"`, which pydantic takes for numbers; `1.0` stays an integer, as in JSON Schema"""


class Task(msgspec.Struct, frozen=True):
    """One unit of work, the same for every strategy."""

    id: int
    kind: str
    units: float
    """amount of work: milliseconds of what only waits, calibrated iterations of the other kinds"""
    fail_first: int = 0
    """attempts that end by an exception before one succeeds"""
    payload: str = ""
    kill_first: int = 0
    """starts that kill their own process before one goes on"""

    def to_message(self) -> dict[str, Any]:
        """Return what goes over a broker's wire: plain JSON types."""
        return msgspec.structs.asdict(self)

    @classmethod
    def from_message(cls, message: dict[str, Any]) -> Self:
        """Rebuild the task from `to_message`; raises msgspec.ValidationError on anything else."""
        return msgspec.convert(message, cls)


class TaskRequest(BaseModel):
    """Body of `POST /tasks`."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    task_id: TaskId
    kind: KindName = "sleep"
    duration_ms: Annotated[float, Field(ge=0, le=MAX_DURATION_MS), A_NUMBER] = 0.0
    payload: Annotated[str, Field(max_length=MAX_PAYLOAD_CHARS)] = ""
    fail_first: Annotated[int, Field(ge=0, le=MAX_FAIL_FIRST), A_NUMBER] = 0
    kill_first: Annotated[
        int,
        Field(ge=0, le=MAX_KILL_FIRST, description="starts that kill their process; for drills only"),
        A_NUMBER,
    ] = 0


class Registration(BaseModel):
    """Body of `POST /users/register`, which starts `FANOUT_PARTS` tasks.

    Their ids are the request's id + 1 ... + `FANOUT_PARTS`, so that id must be a multiple of 4.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    task_id: Annotated[TaskId, Field(pattern=r"^[0-9a-f]{15}[048c]$")]
    email: Annotated[str, Field(pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,190}$")] = "new.user@example.org"
    kind: KindName = "sleep"
    parts: Annotated[
        list[KindName] | None,
        Field(description="kinds of its tasks; none: all of `kind`"),
        Field(min_length=FANOUT_PARTS, max_length=FANOUT_PARTS),
    ] = None
    duration_ms: Annotated[float, Field(ge=0, le=MAX_DURATION_MS), A_NUMBER] = 0.0

    @property
    def kinds(self) -> list[str]:
        """The kind of each task that the registration starts."""
        return self.parts or [self.kind] * FANOUT_PARTS

    def part_ids(self) -> list[int]:
        """Return the ids of the tasks that the registration starts."""
        return [int(self.task_id, 16) + part for part in range(1, FANOUT_PARTS + 1)]


class TaskAccepted(BaseModel):
    """Reply to a task that was accepted."""

    task_id: str


class Refusal(BaseModel):
    """Reply to a request that was not accepted, for a reason other than its fields."""

    detail: str


class RegistrationAccepted(BaseModel):
    """Reply to a registration whose tasks were accepted."""

    task_id: str
    tasks: list[str]


class TaskState(BaseModel):
    """Reply of `GET /tasks/{task_id}`."""

    task_id: str
    state: Literal["accepted", "started", "finished", "failed", "unknown"]
    source: Literal["library", "ledger", "none"]


def hex_id(task_id: int) -> str:
    """Return a task's id as it is written over HTTP."""
    return f"{task_id:016x}"
