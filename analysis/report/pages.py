"""The page of a report: one HTML file that needs nothing else."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd

from analysis.charts.conditions import machine
from analysis.charts.grid import Caption
from analysis.charts.style import colour
from analysis.format import milliseconds, number
from analysis.report.notebook_sources import names
from analysis.report.theory import MOST, lines, scores
from analysis.report.words import Reading, read
from analysis.trials.derive import Derived
from analysis.trials.point_table import answers, moves
from analysis.trials.questions import QUESTIONS
from results.schema import Manifest
from results.terms import BYSTANDERS, ENOUGH_FOR_P99, Stream, pattern_of

_TEMPLATES: Final = Path(__file__).parent / "templates"
_MAX_ROWS: Final = 2_000
_INTERVALS: Final = ("queue_wait", "service", "completion")


@dataclass(frozen=True)
class Drawing:
    """A chart as the page shows it."""

    name: str
    words: Caption
    svg: bytes
    """empty where there was nothing to draw; the caption then says why"""
    first: bool = False
    """it stands with the answer"""

    @property
    def source(self) -> str:
        """The chart as a data URI."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode("ascii")


def render_page(derived: Derived, drawings: list[Drawing], problems: list[str]) -> str:
    """Return a campaign's page. All names and labels are escaped; nothing is loaded from elsewhere."""
    trials = derived.summary.drop_duplicates(["trial_id", "attempt"])
    points = derived.points
    found = answers(points)
    return (
        templates()
        .get_template("report.html")
        .render(
            manifest=derived.manifest,
            machine=machine(derived.manifest),
            facts=facts(derived.manifest),
            answers=found,
            moves=moves(found),
            by_subject=_by_subject(read(derived.summary, points)),
            questions=QUESTIONS,
            bystanders=BYSTANDERS,
            first=[drawing for drawing in drawings if drawing.first],
            drawings=[drawing for drawing in drawings if not drawing.first],
            problems=problems,
            unmeasured=derived.unmeasured,
            scores=scores(derived.predictions),
            theory=lines(derived.predictions),
            theory_most=MOST,
            limit_ms=derived.manifest.limit_ms,
            trials=len(trials),
            invalid=int((~trials["valid"].astype(bool)).sum()),
            accompanied=int((trials["valid"].astype(bool) & (trials["company"] != "")).sum()),
            rows=_rows(derived.summary.head(_MAX_ROWS)),
            rows_left_out=max(0, len(derived.summary) - _MAX_ROWS),
            closed=bool(derived.summary["closed"].any()),
            notebooks=names("trials"),
        )
    )


def _by_subject(readings: list[Reading]) -> dict[tuple[str, str], list[Reading]]:
    found: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        found.setdefault((reading.strategy, reading.variant), []).append(reading)
    return found


def templates() -> jinja2.Environment:
    """Return the templates of pages: what they show is escaped, and a name that is missing is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "ms": milliseconds, "colour": colour}
    return environment


def facts(manifest: Manifest) -> list[tuple[str, str]]:
    """Return the conditions as (name, value), leaving out what the manifest does not know."""
    environment = manifest.environment
    known: list[tuple[str, Any]] = [
        ("Command", " ".join(manifest.command)),
        ("Profile", manifest.profile),
        ("Created", manifest.created_at),
        ("Seed", manifest.seed),
        ("Topology", ", ".join(manifest.topology)),
        ("Event loop, HTTP", f"{manifest.loop}, {manifest.http}"),
        ("Pinning", _flat(manifest.pinning)),
        ("Work units per ms", _flat(manifest.calibration)),
    ]
    known += [(str(key).capitalize(), _flat(value)) for key, value in environment.items()]
    return [(name, str(value)) for name, value in known if value not in ("", None)]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        parts = ((key, _flat(inner)) for key, inner in value.items())
        return " · ".join(f"{key} {inner}" for key, inner in parts if inner)
    if isinstance(value, list | tuple):
        return ", ".join(_flat(inner) for inner in value)
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _few(row: dict[str, Any], name: str) -> bool:
    return f"{name}_n" in row and 0 < row[f"{name}_n"] < ENOUGH_FOR_P99


def _rows(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the summary's rows with the percentiles as text.

    `≥` stands before those with open samples, `of n` behind a p99 of so few that it is their maximum.
    """
    rows: list[dict[str, Any]] = []
    for record in summary.to_dict("records"):
        row: dict[str, Any] = {str(key): value for key, value in record.items()}
        row["samples"] = sum(row[f"{stream.column}_n"] for stream in BYSTANDERS)
        row["place"] = f" #{row['step']}" if pattern_of(row["scenario"]).stepped else ""
        for name in (*(stream.column for stream in Stream), *_INTERVALS):
            for p in ("p50", "p99"):
                mark = "≥ " if row[f"{name}_{p}_at_least"] else ""
                few = f" of {row[f'{name}_n']}" if p == "p99" and _few(row, name) else ""
                row[f"{name}_{p}"] = mark + milliseconds(row[f"{name}_{p}_ms"]) + few
        rows.append(row)
    return rows
