"""The tables that charts are made of, kept as CSV in a campaign's `derived/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from analysis.trials.load import Measured, load_campaign
from analysis.trials.points import find_points
from analysis.trials.predictions import predict
from analysis.trials.questions import QUESTIONS
from analysis.trials.rejudge import spells_by_limit, under
from analysis.trials.summary import summarise
from analysis.trials.timeline import trial_timeline
from results.errors import BlockpointError
from results.failures import Failure, read_failures
from results.files import whole_folder
from results.schema import Manifest
from results.terms import Stream, pattern_of
from results.text import named

_TEXT: Final = (
    "trial_id",
    "strategy",
    "variant",
    "kind",
    "topology",
    "scenario",
    "reasons",
    "stopped_early",
    "company",
    "generators",
)


@dataclass(frozen=True)
class Derived:
    """A campaign's tables, each described where it is made; all but the summary may have no row.

    `summary`: `summary.summarise`; `bursts`: `timeline.trial_timeline`; `predictions`: `predictions.predict`;
    `spells`: `rejudge.spells_by_limit`, which a page needs that can be switched to other limits.
    """

    folder: Path
    manifest: Manifest
    summary: pd.DataFrame
    bursts: pd.DataFrame
    predictions: pd.DataFrame
    spells: pd.DataFrame = field(default_factory=pd.DataFrame)
    searched_at_ms: float | None = None
    """the campaign's own limit, where the manifest holds another, by which it was judged again"""

    @cached_property
    def points(self) -> pd.DataFrame:
        """Where each subject blocks and falls behind: see `points.find_points`."""
        return find_points(self.summary, self.manifest, self.failures)

    @property
    def failures(self) -> list[Failure]:
        """The last tries of trials that could not be measured, also of those that were at a later try."""
        return read_failures(self.folder)

    @property
    def unmeasured(self) -> list[Failure]:
        """Trials that could not be measured, and were not at a later try."""
        sealed = set(self.summary["trial_id"])
        return [each for each in self.failures if each.plan.trial_id not in sealed]


def derive(
    folder: Path, progress: Callable[[str], None] = lambda _: None, limit_ms: float | None = None
) -> Derived:
    """Read every sealed trial, make the tables and write `derived/*.csv`; raises BlockpointError.

    Trials are read one after the other: memory holds the largest one, not the campaign. With a limit, they
    are judged by it in place of the campaign's own, and the tables are written to `rejudged_folder`.
    """
    measured = _measurements(folder)
    manifest = under(measured.manifest, limit_ms)
    summaries, bursts, predictions, spells = [], [], [], []
    for number, frames in enumerate(measured.frames(), start=1):
        progress(f"reading trial {number} of {len(measured.trials)}: {frames.trial.plan.trial_id}")
        summaries.append(summarise(frames, manifest))
        predictions.append(predict(frames, manifest, summaries[-1]))
        spells.append(spells_by_limit(frames, manifest))
        if pattern_of(frames.trial.load.scenario).timeline:
            bursts.append(trial_timeline(frames, manifest.limit_ms))
    derived = Derived(
        folder,
        manifest,
        _order(_together(summaries)),
        _together(bursts),
        _order(_together(predictions)),
        _together(spells),
        None if limit_ms is None else measured.manifest.limit_ms,
    )
    tables = {"summary": derived.summary, "points": derived.points, "predictions": derived.predictions}
    write_tables(rejudged_folder(folder, limit_ms), tables | {"bursts": derived.bursts})
    return derived


def rejudged_folder(folder: Path, limit_ms: float | None) -> Path:
    """Return where that goes which is made under a limit; for None, the campaign's own folder."""
    return folder if limit_ms is None else folder / f"at-{limit_ms:g}ms"


def read_derived(folder: Path) -> Derived:
    """Return the tables of `derived/`; made again where they lack the last trial, an answer or a stream.

    Raises BlockpointError.
    """
    measured = _measurements(folder)
    try:
        summary = _read(folder / "derived" / "summary.csv")
        predictions = _read(folder / "derived" / "predictions.csv")
    except (OSError, ValueError):
        return derive(folder)
    sealed = {(trial.plan.trial_id, trial.attempt) for trial in measured.trials}
    told = set(zip(summary["trial_id"], summary["attempt"], strict=True))
    wanted = {
        "web_processes",
        *(question.column for question in QUESTIONS.values()),
        *(f"{each.column}_n" for each in Stream),
    }
    if told != sealed or not wanted <= set(summary.columns):
        return derive(folder)
    bursts = folder / "derived" / "bursts.csv"
    return Derived(
        folder,
        measured.manifest,
        summary,
        _read(bursts) if bursts.exists() else pd.DataFrame(),
        predictions,
    )


def _measurements(folder: Path) -> Measured:
    """Open a campaign without its drills: a target that is broken on purpose has no point to find."""
    measured = load_campaign(folder)
    kept = [trial for trial in measured.trials if not trial.plan.drill]
    if not kept:
        raise BlockpointError(f"{named(folder)}: holds only drills, of which no blocking point can be told")
    return replace(measured, trials=kept)


def _together(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the tables as one: an empty one, with the same columns, only where all are."""
    kept = [table for table in tables if len(table)] or tables[:1]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()


def _order(summary: pd.DataFrame) -> pd.DataFrame:
    keys = ["kind", "duration_ms", "topology", "scenario", "strategy", "variant", "offered_per_s", "repeat"]
    return summary.sort_values([*keys, "attempt", "step"], kind="stable", ignore_index=True).copy()


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write a campaign's `derived/*.csv` in place of older ones; a table without columns gets no file.

    Raises BlockpointError where that cannot be done.
    """
    try:
        folder.mkdir(exist_ok=True)
        with whole_folder(folder / "derived") as made:
            for name, table in tables.items():
                if len(table.columns):
                    table.to_csv(made / f"{name}.csv", index=False)
    except OSError as error:
        raise BlockpointError(f"{named(folder)}: cannot write derived/ ({error.strerror})") from None


def _read(path: Path) -> pd.DataFrame:
    spells = [f"{s.column}_{name}" for s in Stream for name in ("spells", "own", "nearly")]
    text = (*_TEXT, *spells, *(question.by_column for question in QUESTIONS.values() if question.by_column))
    table = pd.read_csv(path, dtype=dict.fromkeys(text, "str"), keep_default_na=True)
    return table.fillna(dict.fromkeys(text, "")).copy()
