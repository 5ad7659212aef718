"""The page of a drills' campaign: one HTML file that needs nothing else."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analysis.charts.conditions import machine
from analysis.drills.derive import Drills
from analysis.drills.matrix import cells, drills_in_order, records, subjects_in_order
from analysis.drills.poison import poison_table
from analysis.drills.recovery import ERRORS
from analysis.format import milliseconds, number, percent
from analysis.order import order
from analysis.report.drawing import Drawing
from analysis.report.drill_words import duration, read_drills, windows
from analysis.report.pages import facts, templates
from results.terms import Fate

DASH: Final = "\N{EN DASH}"
MOST: Final = 0.5
"""from this share of the accepted tasks on, a cell says that most were lost"""


@dataclass(frozen=True)
class Cell:
    """What one drill cost one subject, as the page and the README show it."""

    text: str
    """`lost / hidden / twice`, `refused`, or a dash where the drill does not concern the subject"""
    look: str = "absent"
    """`kept`, `delayed`, `some`, `most`, `refused` or `absent`"""
    notes: tuple[str, ...] = ()
    interval: str = ""
    """the share that was lost, with its 95 % interval over repeats; empty where nothing was"""


def cell(row: Mapping[str, Any] | None) -> Cell:
    """Return the cell of a row of `tables.matrix`; of None, a dash: absence is no zero."""
    if row is None:
        return Cell(DASH)
    refused = f"{row['refused']} refused" if row["refused"] else ""
    if not row["repeats"]:
        return Cell("refused", "refused", (refused,))
    lost, hidden, twice = (row[name] for name in ("lost", "hidden_at_rest", "twice"))
    look = (
        "most" if row["lost_share"] >= MOST else "some" if lost else "delayed" if hidden + twice else "kept"
    )
    notes = [
        f"of {number(row['accepted'])} in {row['repeats']} run{'s' * (row['repeats'] != 1)}",
        _interval(row),
    ]
    notes += [f"{row['exited']} exited" if row["exited"] else "", refused]
    text = f"{number(lost)} / {number(hidden)} / {number(twice)}"
    return Cell(text, look, tuple(note for note in notes if note), _interval(row))


def render_drills(
    derived: Drills,
    drawings: list[Drawing],
    problems: Sequence[str] = (),
    notebooks: Sequence[str] = (),
) -> str:
    """Return the page. All names and texts are escaped; nothing is loaded from elsewhere."""
    manifest, table = derived.manifest, derived.matrix
    names = drills_in_order(list(table["drill"]))
    found = cells(table)
    subjects = [s for s in subjects_in_order(manifest) if any((s.key, name) in found for name in names)]
    environment = templates(drawings)
    environment.filters |= {"duration": duration, "figure": _figure, "ms_or_dash": _milliseconds}
    refused = derived.trials[~derived.trials["valid"].astype(bool)]
    return environment.get_template("drills.html").render(
        manifest=manifest,
        machine=machine(manifest),
        facts=facts(manifest),
        names=names,
        fates=list(Fate),
        of_service=any(subject.asked for subject in manifest.subjects),
        every=[row for row in records(table) if row["repeats"]],
        rows=[(s, [cell(found.get((s.key, name))) for name in names]) for s in subjects],
        captions=_captions(table, names),
        readings=read_drills(table, manifest),
        hidings=_hidings(table),
        api=_api(derived, names),
        errors=ERRORS,
        retries=records(poison_table(derived.poison, "raise")),
        kills=records(poison_table(derived.poison, "kill")),
        ends=_ends,
        drawings=drawings,
        problems=problems,
        notebooks=notebooks,
        trials=len(derived.trials),
        refused=records(refused),
    )


def _api(derived: Drills, names: list[str]) -> list[dict[str, Any]]:
    """Return what the API did, in the order of drills and subjects; `place` is the drill's."""
    rows = [row | {"place": names.index(row["drill"])} for row in records(derived.recovery)]
    return sorted(rows, key=lambda row: (row["place"], order(row["strategy"], row["variant"])))


def _captions(table: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Return what each drill does, in the data's own words; repeats are those of the subject with most."""
    captions = []
    for name in names:
        own = table[table["drill"] == name]
        told = {column: next((text for text in own[column] if text), "") for column in ("summary", "trigger")}
        captions.append({"drill": name, "repeats": int(own["repeats"].max()), **told})
    return captions


def _hidings(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells in which a broker hid tasks, with its window here and by default."""
    hid = [row for row in records(table) if row["repeats"] and row["hidden_at_rest"]]
    return [row | {"windows": windows(row)} for row in hid]


def _ends(row: Mapping[str, Any], who: str) -> str:
    """Return the fates of a poison table's tasks in words: `80 failed, 2 lost`."""
    told = [(fate.label, row.get(f"{who}_{fate.label}", 0)) for fate in Fate]
    told.append(("hidden at rest", row.get(f"{who}_hidden_at_rest", 0)))
    return ", ".join(f"{number(count)} {label.replace('_', ' ')}" for label, count in told if count) or "none"


def _interval(row: Mapping[str, Any]) -> str:
    if not row["lost"]:
        return ""
    if math.isnan(row["lost_share_low"]):
        return percent(row["lost_share"])
    low, high = percent(row["lost_share_low"]), percent(row["lost_share_high"])
    return f"{percent(row['lost_share'])} ({low} to {high})"


def _figure(value: float) -> str:
    return DASH if math.isnan(value) else number(value)


def _milliseconds(value: float) -> str:
    return DASH if math.isnan(value) else milliseconds(value)
