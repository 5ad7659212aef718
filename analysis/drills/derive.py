"""The tables of a drills' campaign, kept as CSV in its `derived/`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.drills.audit import audit
from analysis.drills.matrix import matrix, refused_row, trial_row
from analysis.drills.poison import poison_row
from analysis.drills.recovery import api_row, api_table
from analysis.drills.timeline import drill_timeline
from analysis.trials.derive import write_tables
from analysis.trials.load import load_campaign
from results.errors import BlockpointError
from results.schema import Manifest
from results.text import named


@dataclass(frozen=True)
class Drills:
    """A campaign's drills; any table but `trials` and `matrix` may have no row.

    `trials`: `matrix.trial_row`; `matrix`: `matrix.matrix`; `poison`: `poison.poison_row`; `api`:
    `recovery.api_row`; `timelines`: `timeline.drill_timeline` of one trial that counts a drill and subject.
    """

    folder: Path
    manifest: Manifest
    trials: pd.DataFrame
    matrix: pd.DataFrame
    poison: pd.DataFrame
    api: pd.DataFrame
    timelines: pd.DataFrame

    @property
    def recovery(self) -> pd.DataFrame:
        """What the API did, by drill and subject: see `recovery.api_table`."""
        return api_table(self.api)


def derive_drills(folder: Path, progress: Callable[[str], None] = lambda _: None) -> Drills:
    """Read every drill's trial, make the tables and write `derived/*.csv`.

    Of trials that ran beside each other only counts are taken. Raises BlockpointError where the campaign is
    missing or damaged, has no drill, or where a trial's rows tell other fates than its document.
    """
    measured = load_campaign(folder)
    manifest, drills = measured.manifest, [trial for trial in measured.trials if trial.plan.drill]
    if not drills:
        raise BlockpointError(f"{named(folder)}: has no sealed drill")
    rows: list[dict[str, Any]] = []
    poison: list[dict[str, Any]] = []
    api: list[dict[str, Any]] = []
    timelines: dict[tuple[str, str], pd.DataFrame] = {}
    for number, trial in enumerate(drills, start=1):
        progress(f"reading drill {number} of {len(drills)}: {trial.plan.trial_id}")
        if trial.incident is None and not trial.valid:
            rows.append(refused_row(trial, manifest.subject(trial.plan.subject), manifest.jobs))
            continue
        audited = audit(measured.campaign, trial)
        rows.append(trial_row(audited, manifest.jobs))
        if row := poison_row(audited, manifest.jobs):
            poison.append(row)
        if manifest.jobs == 1:
            api.append(api_row(audited, manifest.limit_ms))
            pair = (trial.plan.drill, trial.plan.subject)
            if trial.valid and pair not in timelines:
                timelines[pair] = drill_timeline(audited)
    trials = pd.DataFrame(rows)
    derived = Drills(
        folder,
        manifest,
        trials,
        matrix(trials, manifest),
        pd.DataFrame(poison),
        pd.DataFrame(api),
        pd.concat(timelines.values(), ignore_index=True) if timelines else pd.DataFrame(),
    )
    tables = {"drills": trials, "matrix": derived.matrix, "poison": derived.poison, "recovery": derived.api}
    write_tables(folder, tables | {"timelines": derived.timelines})
    return derived
