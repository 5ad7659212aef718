"""The trials of a campaign that could not be measured at all, and why.

NAME/failures/TRIAL.json    one `Failure`: the last try at that trial; their SHA256SUMS beside them
"""

from pathlib import Path

from results.base import Versioned
from results.documents import read_sealed, write_document
from results.errors import BlockpointError
from results.schema import Plan
from results.sums import seal
from results.text import masked, visible

FAILURES = "failures"
_LONGEST = 300


class Failure(Versioned, frozen=True, kw_only=True):
    """A trial that ended without anything to seal."""

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
    seal(path.parent, sorted(each.name for each in path.parent.glob("[!.]*.json")))


def read_failures(campaign_folder: Path) -> list[Failure]:
    """Return a campaign's failures in the order of their files' names.

    Raises BlockpointError where one is damaged, foreign or under another trial's name.
    """
    found = []
    for path in sorted((campaign_folder / FAILURES).glob("[!.]*.json")):
        failure = read_sealed(path, Failure)
        if path != _path(campaign_folder, failure.plan):
            raise BlockpointError(
                f"{path}: is a failure of {failure.plan.trial_id!r}; moved or copied by hand?"
            )
        found.append(failure)
    return found


def _path(campaign_folder: Path, plan: Plan) -> Path:
    return campaign_folder / FAILURES / f"{plan.trial_id}.json"
