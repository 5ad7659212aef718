"""One drill's trial: its fates are told again from its raw rows and held against what it says itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from analysis.drills.fates import Evidence, Rows, Verdicts, count, fates
from analysis.trials.load import check_rows
from results.errors import BlockpointError
from results.findings import Incident
from results.schema import Subject, Trial
from results.store import Campaign
from results.terms import Look

_RECORD: Final = ("task_id", "moment", "at_ns", "pid", "attempt")


@dataclass(frozen=True)
class Audited:
    """A drill's trial: its tables as recorded, and one verdict a row of `requests`, in that order."""

    trial: Trial
    subject: Subject
    incident: Incident
    requests: pd.DataFrame
    bystanders: pd.DataFrame
    events: pd.DataFrame
    verdicts: Verdicts

    @property
    def lasting(self) -> bool:
        """Whether the fault lasts for the whole load, so that there is no before and after."""
        return not self.incident.trigger


def audit(campaign: Campaign, trial: Trial) -> Audited:
    """Read a drill's trial and tell its fates again.

    Raises BlockpointError where a table is damaged, the clocks differ, the trial is no drill, its fault's
    moments are in no order, or the rows tell other fates than the trial's document.
    """
    incident = trial.incident
    if incident is None:
        raise BlockpointError(f"trial {trial.plan.trial_id}: says nothing of what it broke")
    if not 0 < incident.from_ns <= incident.to_ns <= incident.at_rest_ns <= incident.horizon_ns:
        raise BlockpointError(
            f"trial {trial.plan.trial_id}: its fault ended before it began, or after all rest"
        )
    if trial.boot_id != trial.load.boot_id:
        raise BlockpointError(
            f"trial {trial.plan.trial_id}: its client and its target ran on hosts whose clocks differ, "
            "so that their moments cannot be joined"
        )
    subject = campaign.manifest.subject(trial.plan.subject)
    sealed = {name: campaign.table(trial, name) for name in ("requests", "bystanders", "events")}
    campaign.check_others(trial, *sealed, "holdings")
    check_rows(trial, sealed["requests"], sealed["bystanders"])
    tables = {name: table.to_pandas() for name, table in sealed.items()}
    requests, events = tables["requests"], tables["events"]
    held = _held(campaign.table(trial, "holdings").to_pandas()) if "holdings" in trial.rows else {}
    verdicts = fates(
        Rows.of({name: requests[name].to_numpy() for name in ("task_id", "outcome", "sent_ns")}),
        {name: events[name].to_numpy() for name in _RECORD},
        held,
        _evidence(subject, incident),
    )
    _same(trial, incident, verdicts)
    return Audited(trial, subject, incident, requests, tables["bystanders"], events, verdicts)


def _held(holdings: pd.DataFrame) -> Mapping[Look, np.ndarray]:
    return {look: holdings.loc[holdings["look"] == look, "task_id"].to_numpy() for look in Look}


def _evidence(subject: Subject, incident: Incident) -> Evidence:
    return Evidence.of(
        subject,
        from_ns=incident.from_ns,
        to_ns=incident.to_ns,
        at_rest_ns=incident.at_rest_ns,
        alive_pids=frozenset(incident.survivors),
    )


def _same(trial: Trial, incident: Incident, verdicts: Verdicts) -> None:
    told = count(verdicts) | {"hidden at rest": int(verdicts.hidden.sum())}
    said = incident.fates | {"hidden at rest": incident.hidden}
    unlike = [
        f"{said.get(name, 0)} {name.replace('_', ' ')} in trial.json, {told.get(name, 0)} by its rows"
        for name in dict.fromkeys((*told, *said))
        if said.get(name, 0) != told.get(name, 0)
    ]
    if unlike:
        raise BlockpointError(f"trial {trial.plan.trial_id}: its fates disagree: {'; '.join(unlike)}")
