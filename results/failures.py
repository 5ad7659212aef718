"""The trials of a campaign that could not be measured at all, and why.

NAME/failures/TRIAL.json    one `Failure`: the last try at that trial
"""

from pathlib import Path

from results.documents import read_document, write_document
from results.errors import BlockpointError
from results.schema import SCHEMA, Document, Plan
from results.text import masked, visible

_FOLDER = "failures"
_LONGEST = 300


class Failure(Document, frozen=True, kw_only=True):
    """A trial that ended without anything to seal."""

    schema: int = SCHEMA
    plan: Plan
    why: str
    """one line"""


def keep_failure(campaign_folder: Path, plan: Plan, error: Exception) -> None:
    """Write down why a trial could not be measured; raises BlockpointError where that cannot be written."""
    path = _path(campaign_folder, plan)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as problem:
        raise BlockpointError(f"{path.parent}: cannot be made ({problem.strerror})") from None
    first_line, *_ = visible(masked(str(error))).splitlines() or [type(error).__name__]
    why = first_line.removesuffix("; it said last:")[:_LONGEST]
    write_document(path, Failure(plan=plan, why=why))


def read_failures(campaign_folder: Path) -> list[Failure]:
    """Return a campaign's failures in the order of their files' names.

    Raises BlockpointError where one is damaged, foreign or under another trial's name.
    """
    found = []
    for path in sorted((campaign_folder / _FOLDER).glob("[!.]*.json")):
        failure = read_document(path, Failure)
        if path != _path(campaign_folder, failure.plan):
            raise BlockpointError(
                f"{path}: is a failure of {failure.plan.trial_id!r}; moved or copied by hand?"
            )
        found.append(failure)
    return found


def _path(campaign_folder: Path, plan: Plan) -> Path:
    return campaign_folder / _FOLDER / f"{plan.trial_id}.json"
