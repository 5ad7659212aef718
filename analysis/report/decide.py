"""What to rely on, as the documentation shows it: `python -m analysis.report.decide FOLDER`."""

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from analysis.drills.facts import shipped_facts
from analysis.order import order
from analysis.report.needs import Sources, needs
from analysis.report.reach import first_condition
from analysis.report.survival import KILLED, survives
from analysis.report.table import Column, Row, Table, to_markdown
from analysis.trials.derive import Derived, read_derived
from results.errors import BlockpointError
from results.store import campaign_folder

_SURVIVAL: Final = "Survives a killed"
_UP_TO: Final = ("API stays fast up to", "Keeps up to")


def decisions(derived: Derived) -> list[Table]:
    """Return three tables: how far each subject carries, what it costs, what it survives."""
    sources = Sources(derived.manifest, derived.summary, derived.points, shipped_facts())
    condition = first_condition(sources.points, derived.manifest)
    if condition is None:
        return [_survival(sources)]
    whole = needs(sources, condition)[0]
    rates = [place for place, column in enumerate(whole.columns) if column.group in _UP_TO]
    costs = [place for place, column in enumerate(whole.columns) if not column.group]
    return [_part(whole, rates), _part(whole, costs), _survival(sources)]


def _part(table: Table, places: Iterable[int]) -> Table:
    """Return some of a table's columns."""
    kept = list(places)
    rows = [replace(row, cells=[row.cells[place] for place in kept]) for row in table.rows]
    return replace(table, columns=[table.columns[place] for place in kept], rows=rows)


def _survival(sources: Sources) -> Table:
    """Return what was drilled, measured in this campaign or not."""
    subjects = sorted({subject for subject, _ in sources.facts}, key=lambda key: order(*key.split("/")))
    rows = [
        Row(
            *subject.split("/"),
            [survives(subject, drill, sources.facts, sources.manifest) for drill in KILLED],
        )
        for subject in subjects
    ]
    columns = [Column(label, _SURVIVAL, numeric=False) for label in KILLED.values()]
    return Table("survival", "Accepted tasks after a kill, in the published drills", columns, rows)


def main(arguments: list[str]) -> int:
    """Print the tables of the campaign named; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m analysis.report.decide FOLDER", file=sys.stderr)
        return 2
    try:
        derived = read_derived(campaign_folder(str(Path(arguments[0]))))
    except BlockpointError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(map(to_markdown, decisions(derived))), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
