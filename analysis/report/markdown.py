"""The matrix of a drills' campaign as a Markdown table: `python -m analysis.report.markdown FOLDER`."""

import sys
from pathlib import Path

import pandas as pd

from analysis.drills.derive import derive_drills
from analysis.drills.matrix import cells, drills_in_order, subjects_in_order
from analysis.report.drill_pages import cell
from results.errors import BlockpointError
from results.schema import Manifest
from results.store import campaign_folder


def markdown(matrix: pd.DataFrame, manifest: Manifest) -> str:
    """Return `tables.matrix` as a row a subject and a column a drill: `lost / hidden / twice of accepted`."""
    found = cells(matrix)
    names = drills_in_order(list(matrix["drill"]))
    lines = [line(["strategy", *names]), line(["---", *["---:"] * len(names)])]
    for subject in subjects_in_order(manifest):
        own = [found.get((subject.key, name)) for name in names]
        if any(own):
            texts = []
            for row in own:
                made = cell(row)
                of = f" of {row['accepted']:,.0f} in {row['repeats']}" if row and row["repeats"] else ""
                of += f": {made.interval}" if made.interval else ""
                text = f"**{made.text}**" if made.look in {"some", "most"} else made.text
                texts.append(text + of)
            lines.append(line([f"`{subject.key}`", *texts]))
    return "\n".join(lines) + "\n"


def line(parts: list[str]) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(part.replace("|", "\\|").replace("\n", " ") for part in parts) + " |"


def main(arguments: list[str]) -> int:
    """Print the table of the campaign named; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m analysis.report.markdown FOLDER", file=sys.stderr)
        return 2
    try:
        derived = derive_drills(campaign_folder(str(Path(arguments[0]))))
        print(markdown(derived.matrix, derived.manifest), end="")
    except BlockpointError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
