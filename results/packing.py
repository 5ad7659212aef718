"""Packs a campaign for keeping: a few files that hold the same documents and rows.

    python -m results.packing CAMPAIGN FOLDER

CAMPAIGN is a name under results/runs, or a folder; FOLDER is made, in place of an older one of its own kind.
"""

import gzip
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from results.base import SCHEMA
from results.columns import TABLES
from results.documents import encoded, write_document
from results.errors import BlockpointError
from results.failures import FAILURES
from results.files import whole_folder
from results.packed import TRIALS
from results.schema import Trial
from results.store import Campaign, campaign_folder, open_campaign, without_the_known
from results.sums import seal
from results.tables import pack_table
from results.text import named


def pack(campaign: Campaign, target: Path) -> None:
    """Write a packed copy; raises BlockpointError where the campaign is damaged or no file can be written."""
    trials = campaign.trials()
    if target.exists() and not (target / TRIALS).exists():
        raise BlockpointError(f"{named(target)}: exists and is no packed campaign; nothing was changed")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(target) as made:
            _fill(made, campaign, trials)
    except OSError as error:
        raise BlockpointError(f"{named(target)}: cannot be written ({error.strerror})") from None


def _fill(made: Path, campaign: Campaign, trials: Sequence[Trial]) -> None:
    write_document(made / "manifest.json", msgspec.structs.replace(campaign.manifest, schema=SCHEMA))
    lines = b"".join(encoded(trial.plan.trial_id, _own(campaign, trial)) + b"\n" for trial in trials)
    (made / TRIALS).write_bytes(gzip.compress(lines, 9, mtime=0))
    names = ["manifest.json", TRIALS]
    for name in TABLES:
        tables = [campaign.table(trial, name) for trial in trials if name in trial.rows]
        if tables:
            names.append(f"{name}.parquet")
            pack_table(made / names[-1], tables)
    if (campaign.folder / FAILURES).is_dir():
        shutil.copytree(campaign.folder / FAILURES, made / FAILURES)
    seal(made, names)


def _own(campaign: Campaign, trial: Trial) -> Trial:
    """Return a trial's document in this version's format."""
    load = msgspec.structs.replace(trial.load, schema=SCHEMA)
    renewed = msgspec.structs.replace(trial, schema=SCHEMA, load=load, checksums={})
    return without_the_known(renewed, campaign.manifest)


def main(arguments: Sequence[str]) -> int:
    """Pack the campaign that is named; returns the exit code."""
    if len(arguments) != 2:
        print("usage: python -m results.packing CAMPAIGN FOLDER", file=sys.stderr)
        return 2
    try:
        pack(open_campaign(campaign_folder(arguments[0])), Path(arguments[1]))
    except BlockpointError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
