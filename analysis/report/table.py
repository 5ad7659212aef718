"""A table of the page: the same cells as HTML, CSV and Markdown."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Column:
    """A column after that of the subjects."""

    label: str
    group: str = ""
    """what neighbours have in common, printed above them"""
    numeric: bool = True

    @property
    def name(self) -> str:
        """The heading of a file, which has no groups."""
        return f"{self.group} {self.label}" if self.group else self.label


@dataclass(frozen=True)
class Value:
    """What a table says in one place."""

    text: str
    note: str = ""
    """beneath it, smaller; it may have lines"""
    sort: float | None = None
    """what it is sorted by; None: its text"""
    source: str = ""
    """where it comes from"""
    link: str = ""
    """an anchor of the page: its rows"""
    look: str = ""
    """`good`, `bad`, `late` or `unsure`"""
    key: str = ""
    """by which a script finds it that moves points to another limit"""

    @property
    def order(self) -> str:
        """What a script sorts it by, with six digits; empty where its text says as much."""
        told = "" if self.sort is None else f"{self.sort:.6g}"
        return "" if told == self.text and not self.note else told

    @property
    def plain(self) -> str:
        """The cell in a file."""
        told = "; ".join(self.note.splitlines())
        return f"{self.text} ({told})" if told else self.text


NOTHING: Final = "\N{EN DASH}"
"""stands where there is nothing to say"""


@dataclass(frozen=True)
class Row:
    """A subject with its cells."""

    strategy: str
    variant: str
    cells: Sequence[Value]
    anchor: str = ""
    look: str = ""

    @property
    def subject(self) -> str:
        """The subject in a file."""
        return f"{self.strategy}/{self.variant}"


@dataclass(frozen=True)
class Table:
    """A table with a caption, of subjects by columns."""

    name: str
    """of its files, without suffix"""
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    judged: str = ""
    """the limit that some of its cells follow; empty where none does"""

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The headings above the columns and how many each spans; empty where a column has none."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if column.group and found and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found

    @property
    def grouped(self) -> bool:
        """Whether any column has a group."""
        return any(column.group for column in self.columns)

    @property
    def heads(self) -> list[str]:
        """The headings of its files."""
        return ["strategy", *(column.name for column in self.columns)]

    def lines(self) -> list[list[str]]:
        """Return its cells as text, row by row."""
        return [[row.subject, *(cell.plain for cell in row.cells)] for row in self.rows]


def to_csv(table: Table) -> str:
    """Return a table as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.heads, *table.lines()])
    return text.getvalue()


def to_markdown(table: Table) -> str:
    """Return a table as Markdown, its caption above."""
    rule = ["---", *("---:" if column.numeric else "---" for column in table.columns)]
    lines = [_line(parts) for parts in (table.heads, rule, *table.lines())]
    limit = f"; limit {table.judged}" if table.judged else ""
    return "\n".join([table.caption + limit, "", *lines, ""])


def _line(parts: Sequence[str]) -> str:
    return "| " + " | ".join(" ".join(part.replace("|", "\\|").split()) for part in parts) + " |"


def write_files(tables: Sequence[Table], folder: Path) -> None:
    """Write each table as CSV and as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        (folder / f"{table.name}.csv").write_text(to_csv(table), encoding="utf-8")
        (folder / f"{table.name}.md").write_text(to_markdown(table), encoding="utf-8")
