"""The command `verify`: whether campaigns met the objectives of a file, for CI."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from harness.commands.objectives import read_objectives
from harness.terminal import document
from harness.terminal.exits import DONE, FAULT, UNANSWERED
from results.errors import BlockpointError
from results.store import campaign_folder, runs_folder
from results.text import named

if TYPE_CHECKING:
    from analysis.verify.answers import Checked


@dataclass(frozen=True, kw_only=True)
class VerifyRequest:
    """What `verify` was asked for."""

    campaigns: tuple[str, ...]
    """none: the newest under the folder of runs"""
    file: str
    as_json: bool


def verify(request: VerifyRequest) -> int:
    """Print how each objective stands; returns the exit code. Raises BlockpointError."""
    from analysis.verify.answers import checked, read_evidence

    objectives = read_objectives(request.file)
    folders = [campaign_folder(name) for name in request.campaigns] or [_newest()]
    evidence = [read_evidence(folder) for folder in folders]
    found = [answer for objective in objectives for answer in checked(objective, evidence)]
    code = exit_code(found)
    console = Console(highlight=False, stderr=request.as_json, soft_wrap=True)
    for answer in found:
        line = f"{answer.standing.name.lower():8}{answer.objective}: {answer.about}: {answer.because}"
        console.print(line, markup=False)
    if request.as_json:
        document.write("verify", _document(found, [each.name for each in folders], code))
    return code


def exit_code(found: "Sequence[Checked]") -> int:
    """Return 1 where one objective is missed, else 3 where one is not known, else 0."""
    from analysis.verify.answers import Standing

    standing = {answer.standing for answer in found}
    if Standing.MISSED in standing:
        return FAULT
    return UNANSWERED if Standing.UNKNOWN in standing else DONE


def _newest() -> Path:
    found = sorted(runs_folder().glob("*/manifest.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise BlockpointError(f"no campaign under {named(runs_folder())}; name one")
    return found[-1].parent


def _document(found: "Sequence[Checked]", campaigns: list[str], code: int) -> dict[str, Any]:
    return {
        "campaigns": campaigns,
        "exit_code": code,
        "objectives": [
            {
                "objective": each.objective,
                "about": each.about,
                "standing": each.standing.name.lower(),
                "because": each.because,
            }
            for each in found
        ],
    }
