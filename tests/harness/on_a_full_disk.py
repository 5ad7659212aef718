"""Runs a campaign again and again on a file system of its own that grows bit by bit.

To be run in a mount namespace: `unshare -rm python -m tests.harness.on_a_full_disk FOLDER SIZE ...`, with
sizes as the mount options of a tmpfs. After each run it prints a line of JSON.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from results.store import open_campaign
from tests.harness.blockpoint import QUIET, blockpoint

SMALL = ["run", "--profile", "smoke", "--strategy", "background_tasks/default", "--duration", "20ms"]
SMALL += ["--rate", "30", "--rate", "60", "--seconds", "1", *QUIET]


def tried(runs: Path) -> dict[str, Any]:
    """Begin the campaign or go on with it; return what it said and what is sealed then."""
    folder = runs / "full"
    begun = folder.exists()
    done = blockpoint(*SMALL, *(["--resume", "full"] if begun else ["--name", "full"]), runs=runs)
    told = {"begun": begun, "code": done.returncode, "said": done.stdout + done.stderr}
    if not folder.exists():
        return {**told, "sealed": [], "planned": None}
    campaign = open_campaign(folder)
    sealed = campaign.trials()
    for trial in sealed:
        for name in trial.rows:
            campaign.table(trial, name)
    return {
        **told,
        "sealed": [trial.plan.trial_id for trial in sealed],
        "planned": [plan.trial_id for plan in campaign.manifest.plans],
    }


def main() -> None:
    runs, sizes = Path(sys.argv[1]), sys.argv[2:]
    for number, size in enumerate(sizes):
        options = f"remount,{size}" if number else size
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(runs)], check=True)
        print(json.dumps({"size": size, **tried(runs)}), flush=True)


if __name__ == "__main__":
    main()
