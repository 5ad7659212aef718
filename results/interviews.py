"""The interviews of a drill's campaign: what each strategy let an operator see.

NAME/interviews/STRATEGY-VARIANT.json    one `Interview`
"""

from pathlib import Path

from results.documents import read_document, write_document
from results.errors import BlockpointError
from results.schema import Interview
from results.text import named

_FOLDER = "interviews"


def keep(campaign_folder: Path, interview: Interview) -> None:
    """Write an interview, replacing an earlier one of the same subject.

    Raises BlockpointError where it cannot be written.
    """
    path = _path(campaign_folder, interview.subject)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise BlockpointError(f"{named(path.parent)}: cannot be made ({error.strerror})") from None
    write_document(path, interview)


def read_interviews(campaign_folder: Path) -> list[Interview]:
    """Return a campaign's interviews in the order of their files' names; none where none were held.

    Raises BlockpointError where one is damaged, foreign or under another subject's name.
    """
    found = []
    for path in sorted((campaign_folder / _FOLDER).glob("[!.]*.json")):
        interview = read_document(path, Interview)
        if path != _path(campaign_folder, interview.subject):
            raise BlockpointError(
                f"{named(path)}: is an interview of {interview.subject!r}; moved or copied by hand?"
            )
        found.append(interview)
    return found


def _path(campaign_folder: Path, subject: str) -> Path:
    return campaign_folder / _FOLDER / f"{subject.replace('/', '-')}.json"
