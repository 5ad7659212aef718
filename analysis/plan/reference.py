"""The measures of a campaign; those of the published reference come with this package.

Made again, after it was published anew, with
`python -m analysis.plan.reference results/published/quick-reference`.
"""

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from analysis.plan.measures import Measures, measures
from analysis.trials.load import load_campaign
from analysis.trials.summary import summarise_campaign
from results.errors import BlockpointError
from results.store import campaign_folder
from results.text import named

SHIPPED: Final = Path(__file__).with_name("reference.json")
_DIGITS: Final = 5


def read_measures(folder: Path) -> Measures:
    """Return what a campaign's trials say; raises BlockpointError where there is none of a plan's use."""
    measured = load_campaign(folder)
    summary = summarise_campaign(measured, measured.manifest)
    if summary.empty:
        raise BlockpointError(f"{named(folder)}: holds only drills, which tell no cost")
    found = measures(summary, measured.manifest)
    if not found.subjects:
        raise BlockpointError(f"{named(folder)}: no trial at a fixed rate is valid, so that it tells no cost")
    return found


@cache
def shipped() -> Measures:
    """Return the measures that come with this package."""
    return msgspec.json.decode(SHIPPED.read_bytes(), type=Measures)


def as_json(found: Measures) -> bytes:
    """Return measures as a file holds them, their numbers to as many digits as tell anything."""
    told = msgspec.to_builtins(found)
    return msgspec.json.format(msgspec.json.encode(_rounded(told)), indent=1) + b"\n"


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def remake_reference(arguments: Sequence[str]) -> int:
    """Make the shipped measures anew from the campaign that is named; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m analysis.plan.reference FOLDER", file=sys.stderr)
        return 2
    try:
        found = read_measures(campaign_folder(arguments[0]))
    except BlockpointError as error:
        print(error, file=sys.stderr)
        return 1
    SHIPPED.write_bytes(as_json(found))
    print(f"{len(found.subjects)} subjects in {SHIPPED}")
    return 0


if __name__ == "__main__":
    sys.exit(remake_reference(sys.argv[1:]))
