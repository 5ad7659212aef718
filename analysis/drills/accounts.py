"""The accounts of a trial: the fates of its accepted tasks, added up."""

from typing import Final

import numpy as np

from analysis.drills.fates import Verdicts
from results.findings import Accounts
from results.terms import Fate

FINISHED: Final = (Fate.COMPLETED, Fate.HIDDEN, Fate.STARTED_TWICE, Fate.COMPLETED_TWICE)
LEFT: Final = (Fate.HELD, Fate.CUT_OFF)


def accounts(verdicts: Verdicts) -> Accounts:
    """Return the counts; each is a sum of fates, split where a task was left by whether it was running."""
    accepted = verdicts.accepted

    def number(*fates: Fate) -> int:
        return int((accepted & np.isin(verdicts.fate, fates)).sum())

    in_service = int((accepted & np.isin(verdicts.fate, LEFT) & verdicts.running).sum())
    return Accounts(
        accepted=int(accepted.sum()),
        finished=number(*FINISHED),
        failed=number(Fate.FAILED),
        in_service=in_service,
        waiting=number(*LEFT) - in_service,
        lost=number(Fate.LOST),
        unaccounted=number(Fate.UNACCOUNTED),
        started_twice=number(Fate.STARTED_TWICE),
        finished_twice=number(Fate.COMPLETED_TWICE),
        ran_unaccepted=int((verdicts.fate == Fate.RAN_UNACCEPTED).sum()),
        strangers=verdicts.strangers,
    )
