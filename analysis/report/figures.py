"""The figures of README and docs, of published campaigns: `python -m analysis.report.figures [FILE ...]`.

A page holds its tables between `<!-- figures: FOLDER KIND -->` and `<!-- /figures -->`, FOLDER within
`results/published`, KIND one of `_TABLES` or a strategy; the command writes what lies between anew, and the
page's pictures (see `pictures`). Tests hold that nothing would change.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pandas as pd

from analysis.drills.derive import derive_drills
from analysis.format import milliseconds, number
from analysis.report.markdown import line, markdown
from analysis.report.pictures import PUBLISHED, ROOT, picture, shown_in
from analysis.trials.derive import read_derived
from analysis.trials.point_table import Answer, answers
from analysis.trials.questions import QUESTIONS
from analysis.trials.streams import bystanders_in
from results.errors import BlockpointError
from results.store import open_campaign
from results.terms import Stream

PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK: Final = re.compile(
    r"(<!-- figures: (?P<folder>[\w-]+) (?P<kind>\w+) -->\n)(?:(?!<!--).)*(\n<!-- /figures -->)", re.DOTALL
)


def filled(text: str) -> str:
    """Return a page with its tables made anew; raises BlockpointError for a folder or kind that is none."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{_table(found['folder'], found['kind'])}{found[4]}", text)


def _table(folder: str, kind: str) -> str:
    if kind in _TABLES:
        return _TABLES[kind](PUBLISHED / folder)
    rows = read_derived(PUBLISHED / folder).summary
    if kind not in set(rows["strategy"]):
        raise BlockpointError(f"no table {kind!r}: there are {', '.join(_TABLES)}, and a strategy's name")
    return _slowest(rows[(rows["strategy"] == kind) & rows["valid"].astype(bool)])


def _points(folder: Path) -> str:
    """Return where the API blocks and the work falls behind: a row a subject, two columns a kind of task.

    Under several topologies a row is a subject with one kind of task, and two columns a topology.
    """
    found = answers(read_derived(folder).points)
    asked = [question.label for question in QUESTIONS.values()]
    several = len({each.topology for each in found}) > 1
    across = [each.topology if several else each.tasks for each in found]
    columns = list(dict.fromkeys(across))
    heads = [f"{each.removeprefix('sleep ')}: {label} at" for each in columns for label in asked]
    names = ["strategy", *(["tasks"] if several else [])]
    lines = [line([*names, *heads]), line([*["---"] * len(names), *["---:"] * len(heads)])]
    rows: dict[tuple[str, ...], dict[str, Answer]] = {}
    for each, column in zip(found, across, strict=True):
        name = f"`{each.strategy}/{each.variant}`"
        rows.setdefault((name, each.tasks) if several else (name,), {})[column] = each
    for row, own in rows.items():
        lines.append(line([*row, *(text for column in columns for text in _cells(own.get(column)))]))
    return "\n".join(lines) + "\n"


def _slowest(rows: pd.DataFrame) -> str:
    """Return a row a trial of one strategy's shortest tasks: what was offered, how slow each stream was."""
    rows = rows[rows["duration_ms"] == rows["duration_ms"].min()]
    streams = [Stream.TASKS, *bystanders_in(rows)]
    heads = ["variant", "offered", *(f"{stream.words} p99" for stream in streams)]
    lines = [line(heads), line(["---", *["---:"] * (len(heads) - 1)])]
    for row in rows.sort_values(["variant", "offered_per_s"]).to_dict("records"):
        slow = [milliseconds(row[f"{stream.column}_p99_ms"]) for stream in streams]
        offered = f"{number(row['offered_per_s'])}/s"
        lines.append(line([f"`{row['variant']}`", offered, *slow]))
    return "\n".join(lines) + "\n"


def _cells(answer: Answer | None) -> list[str]:
    return [answer.found[name].interval if answer else "" for name in QUESTIONS]


def _matrix(folder: Path) -> str:
    return markdown(derive_drills(folder).matrix, open_campaign(folder).manifest)


_TABLES: Final[dict[str, Callable[[Path], str]]] = {"points": _points, "matrix": _matrix}


def write_pages(arguments: list[str]) -> int:
    """Write the figures of the pages named, of all pages without a name; returns the exit code."""
    try:
        for page in [Path(each) for each in arguments] or PAGES:
            made = filled(page.read_text())
            _write(page, made.encode())
            for path in shown_in(made):
                _write(path, picture(path))
    except BlockpointError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _write(path: Path, content: bytes) -> None:
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        print(f"wrote {path.name}")


if __name__ == "__main__":
    sys.exit(write_pages(sys.argv[1:]))
