"""What of a trial belongs to one of its steps: the rows that were due in it after its warm-up."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.trials.load import Frames
from results.load import Step
from results.terms import pattern_of

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StepRows:
    """The measured rows of one step."""

    index: int
    step: Step
    parts: int
    """tasks that a request starts"""
    tasks: pd.DataFrame
    bystanders: pd.DataFrame

    @property
    def seconds(self) -> float:
        """How long was measured."""
        return (self.step.to_ns - self.step.measure_from_ns) / 1e9

    @property
    def requests(self) -> pd.DataFrame:
        """One task of each request, which was answered for all of them."""
        return self.tasks.iloc[:: self.parts]


def step_rows(frames: Frames, index: int) -> StepRows:
    """Return the rows of a trial's step."""
    load = frames.trial.load
    step = load.steps[index]
    return StepRows(
        index=index,
        step=step,
        parts=pattern_of(load.scenario).parts,
        tasks=frames.tasks[_inside(frames.tasks, index, step)],
        bystanders=frames.bystanders[_inside(frames.bystanders, index, step)],
    )


def _inside(rows: pd.DataFrame, index: int, step: Step) -> Mask:
    due = rows["due_ns"].to_numpy()
    inside: Mask = (rows["step"].to_numpy() == index) & (due >= step.measure_from_ns) & (due < step.to_ns)
    return inside
