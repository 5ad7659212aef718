"""What to rely on, as the documentation shows it: `python -m analysis.report.decide FOLDER`."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pandas as pd

from analysis.drills.facts import shipped_facts
from analysis.order import order
from analysis.report.needs import Sources, needs
from analysis.report.reach import first_condition
from analysis.report.survival import KILLED, survives
from analysis.report.table import Column, Row, Table, to_markdown
from analysis.trials.load import Measured, load_campaign
from analysis.trials.points import find_points
from analysis.trials.summary import summarise
from results.errors import BlockpointError
from results.failures import read_failures
from results.store import campaign_folder
from results.text import named

_SURVIVAL: Final = "Survives a killed"
_UP_TO: Final = ("API stays fast up to", "Keeps up to")


def decisions(folder: Path) -> list[Table]:
    """Return three tables of a campaign: how far each subject carries, what it costs, what it survives.

    Raises BlockpointError where it is missing, damaged or of drills.
    """
    sources = _sources(folder)
    condition = first_condition(sources.points, sources.manifest)
    if condition is None:
        raise BlockpointError(f"{named(folder)}: holds no point to decide by")
    whole = needs(sources, condition)[0]
    rates = [place for place, column in enumerate(whole.columns) if column.group in _UP_TO]
    costs = [place for place, column in enumerate(whole.columns) if not column.group]
    return [_part(whole, rates), _part(whole, costs), _survival(sources)]


def _sources(folder: Path) -> Sources:
    """Read what the tables need and no more: theory is asked nothing, and nothing is written."""
    measured = load_campaign(folder)
    manifest = measured.manifest
    summaries = [summarise(frames, manifest) for frames in _not_drilled(measured).frames()]
    summary = pd.concat(summaries, ignore_index=True) if summaries else pd.DataFrame()
    points = find_points(summary, manifest, read_failures(folder))
    return Sources(manifest, summary, points, shipped_facts())


def _not_drilled(measured: Measured) -> Measured:
    return replace(measured, trials=[trial for trial in measured.trials if not trial.plan.drill])


def _part(table: Table, places: Iterable[int]) -> Table:
    """Return some of a table's columns."""
    kept = list(places)
    rows = [replace(row, cells=[row.cells[place] for place in kept]) for row in table.rows]
    return replace(table, columns=[table.columns[place] for place in kept], rows=rows)


def _survival(sources: Sources) -> Table:
    """Return what was drilled, measured in this campaign or not."""
    drilled = {tuple(subject.split("/")) for subject, _ in sources.facts}
    rows = [_survived(sources, *subject) for subject in sorted(drilled, key=lambda key: order(*key))]
    columns = [Column(label, _SURVIVAL, numeric=False) for label in KILLED.values()]
    return Table("survival", "Accepted tasks after a kill, in the published drills", columns, rows)


def _survived(sources: Sources, strategy: str, variant: str) -> Row:
    subject = f"{strategy}/{variant}"
    cells = [survives(subject, drill, sources.facts, sources.manifest) for drill in KILLED]
    return Row(strategy, variant, cells)


def print_tables(arguments: list[str]) -> int:
    """Print the tables of the campaign named; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m analysis.report.decide FOLDER", file=sys.stderr)
        return 2
    try:
        tables = decisions(campaign_folder(arguments[0]))
    except BlockpointError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(map(to_markdown, tables)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(print_tables(sys.argv[1:]))
