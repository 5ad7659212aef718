"""The page of a report: one HTML file that needs nothing else."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd
from markupsafe import Markup, escape

from analysis.charts.conditions import machine, placement
from analysis.charts.style import colour
from analysis.drills.facts import shipped_facts
from analysis.format import milliseconds, number
from analysis.order import family, subjects
from analysis.report.drawing import Drawing
from analysis.report.headline import headline
from analysis.report.inline_svg import colour_variables
from analysis.report.looks import Looks
from analysis.report.needs import Sources, needs
from analysis.report.reach import Condition, first_condition
from analysis.report.rows import all_rows
from analysis.report.sections import Section, sections
from analysis.report.sizing import BUSY, carriers
from analysis.report.survival import KILLED
from analysis.report.table import Table
from analysis.report.theory import MOST, predicted_table, scores
from analysis.report.views import views
from analysis.report.words import Reading, read
from analysis.trials.burst_words import sentence_on_bursts
from analysis.trials.derive import Derived
from analysis.trials.point_table import SHAKY, answers, moves
from analysis.trials.questions import QUESTIONS
from results.schema import Manifest

_TEMPLATES: Final = Path(__file__).parent / "templates"
_CODE: Final = re.compile("(`[^`]*`)")
_PLAIN: Final = " /,.:-"
"""stands for itself in a string of CSS, as letters and digits do"""
MEANS_SHAKY: Final = "shaky: another run may move it"
PREDICTED: Final = "predicted"
ANSWERING: Final = ("reach", "frontier")
"""how the names of charts begin that answer by themselves, the better one first"""


@dataclass(frozen=True)
class Page:
    """What a campaign's page shows."""

    derived: Derived
    points: pd.DataFrame
    problems: list[str]
    condition: Condition | None
    sentences: list[str]
    needs: list[Table]
    first: list[Drawing]
    """with the answer: one that answers, then those like it"""
    sections: list[Section]
    others: list[Drawing]
    """that no section asks for"""
    predictions: Table
    rows: Table
    views: list[dict[str, Any]]
    notebooks: Sequence[str] = ()
    """beside the page, executed"""

    @property
    def bursts(self) -> str:
        """What bursts would make of the answer; empty where there is nothing to be said."""
        return sentence_on_bursts(self.condition.of(self.points)) if self.condition else ""

    @property
    def carriers(self) -> list[dict[str, Any]]:
        """Who carries which rate, for its calculator."""
        if self.condition is None:
            return []
        derived = self.derived
        return carriers(
            Sources(derived.manifest, derived.summary, self.points, shipped_facts()), self.condition
        )

    @property
    def subjects(self) -> list[tuple[str, str]]:
        """All of which a chart may show something."""
        found = subjects(self.points) if len(self.points) else []
        return [(strategy, variant) for strategy, variant, _ in found]

    @property
    def predicted(self) -> list[Drawing]:
        """Theory beside measurement."""
        return [each for each in self.others if each.name.startswith(PREDICTED)]

    @property
    def drawings(self) -> list[Drawing]:
        """All that it shows."""
        of_sections = (each for section in self.sections for each in (*section.shown, *section.folded))
        return [*self.first, *of_sections, *self.others]

    @property
    def drilled(self) -> str:
        """The campaigns that the facts of kills are from."""
        return ", ".join(sorted({fact.campaign for fact in shipped_facts().values()}))

    @property
    def tables(self) -> list[Table]:
        """All that have files beside the page."""
        return [
            *self.needs,
            *(table for section in self.sections for table in section.tables),
            self.predictions,
            self.rows,
        ]


def compose(
    derived: Derived, drawings: list[Drawing], problems: list[str], notebooks: Sequence[str] = ()
) -> Page:
    """Return a campaign's page before it is rendered."""
    sources = Sources(derived.manifest, derived.summary, derived.points, shipped_facts())
    rows = all_rows(derived.summary, derived.manifest.limit_ms)
    predictions = predicted_table(derived.predictions)
    condition = first_condition(sources.points, derived.manifest)
    first, others = _answering(drawings)
    if condition is None:
        return Page(derived, sources.points, problems, None, [], [], first, [], others, predictions, rows, [])
    made, left = sections(sources, condition, others)
    told = headline(sources.summary, sources.points, derived.manifest, condition, sources.facts)
    seen = views(sources, condition, derived.spells, derived.failures)
    table = needs(sources, condition)
    return Page(
        derived,
        sources.points,
        problems,
        condition,
        told,
        table,
        first,
        made,
        left,
        predictions,
        rows,
        seen,
        notebooks,
    )


def _answering(drawings: list[Drawing]) -> tuple[list[Drawing], list[Drawing]]:
    """Return the drawings of the chart that answers, and all others."""
    for name in ANSWERING:
        if first := [each for each in drawings if each.name.startswith(name) and each.svg]:
            return first, [each for each in drawings if each not in first]
    return [], drawings


def render_page(derived: Derived, drawings: list[Drawing], problems: list[str]) -> str:
    """Return a campaign's page. All names and labels are escaped; nothing is loaded from elsewhere."""
    return render(compose(derived, drawings, problems))


def render(page: Page) -> str:
    """Return a page as HTML."""
    derived = page.derived
    trials = derived.summary.drop_duplicates(["trial_id", "attempt"])
    found = answers(page.points)
    valid = trials["valid"].astype(bool)
    return (
        templates(page.drawings)
        .get_template("report.html")
        .render(
            page=page,
            manifest=derived.manifest,
            machine=machine(derived.manifest),
            placements=[(each, placement(derived.manifest, each)) for each in derived.manifest.topology],
            facts=facts(derived.manifest, _generated(trials), _ahead(trials)),
            by_subject=_by_subject(read(derived.summary, page.points)),
            moves=moves(found),
            questions=QUESTIONS,
            unmeasured=derived.unmeasured,
            scores=scores(derived.predictions),
            theory_most=MOST,
            sizing_busy=BUSY,
            killed=KILLED.values(),
            limit_ms=derived.manifest.limit_ms,
            trials=len(trials),
            invalid=trials[~valid].to_dict("records"),
            shaky=[a for a in found if any(f.shaky for f in a.found.values())],
            answered=len(found),
            accompanied=int((valid & (trials["company"] != "")).sum()),
            rows_left_out=max(0, len(derived.summary) - len(page.rows.rows)),
            closed=bool(derived.summary["closed"].any()),
            searched_at_ms=derived.searched_at_ms,
            notebooks=page.notebooks,
        )
    )


def _by_subject(readings: list[Reading]) -> dict[tuple[str, str], list[Reading]]:
    found: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        found.setdefault((reading.strategy, reading.variant), []).append(reading)
    return found


def templates(drawings: Iterable[Drawing] = ()) -> jinja2.Environment:
    """Return the templates of a page with these charts.

    What they show is escaped, and a name that is missing is an error.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "ms": milliseconds,
        "colour": colour,
        "prose": _prose,
        "code": _code,
        "css": _css,
        "family": family,
    }
    looks = Looks()
    inline = {drawing.name: drawing.inline(looks) for drawing in drawings if drawing.svg}
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    environment.globals |= {"inline": inline, "looks": looks.rules, "dark_charts": colour_variables()}
    return environment


def _prose(text: str) -> Markup:
    """Return a sentence with what stands in backticks as code, and the mark of what is shaky explained."""
    explained = Markup('<abbr title="{}">{}</abbr>').format(MEANS_SHAKY, SHAKY)
    return Markup("").join(
        part if part.startswith("<code>") else part.replace(SHAKY, explained) for part in _parts(text)
    )


def _code(text: str) -> Markup:
    """Return a sentence with what stands in backticks as code."""
    return Markup("").join(_parts(text))


def _parts(text: str) -> Iterator[Markup]:
    for part in _CODE.split(text):
        quoted = _CODE.fullmatch(part)
        yield Markup("<code>{}</code>").format(part[1:-1]) if quoted else escape(part)


def _css(text: str) -> Markup:
    """Return a text as a string of CSS, which no character of it can end."""
    plain = (each if each.isalnum() or each in _PLAIN else f"\\{ord(each):x} " for each in text)
    return Markup('"{}"').format(Markup("").join(map(Markup, plain)))


def _generated(trials: pd.DataFrame) -> str:
    """Return by whom the load was generated, as the trials tell it; empty where they are older than that."""
    hosts = "; ".join(sorted(set(trials["generators"]) - {""}))
    doubt_ms = trials["clock_uncertainty_ms"].max()
    return hosts + (f" (clocks known to {doubt_ms:.2f} ms)" if doubt_ms > 0 else "")


def _ahead(trials: pd.DataFrame) -> str:
    """Return by how much the clock of an agent's host was ahead of ours; empty where there was none."""
    ahead_s = trials["target_clock_ahead_s"].dropna()
    told = dict.fromkeys(f"{each:+,.4f} s" for each in (ahead_s.min(), ahead_s.max())) if len(ahead_s) else ()
    return " to ".join(told)


def facts(manifest: Manifest, generated: str = "", ahead: str = "") -> list[tuple[str, str]]:
    """Return the conditions as (name, value), leaving out what the manifest does not know.

    `generated`: by how many processes on which hosts, as the trials tell it; `ahead`: the clock of the
    targets' host, likewise.
    """
    environment = manifest.environment
    known: list[tuple[str, Any]] = [
        ("Command", " ".join(manifest.command)),
        ("Profile", manifest.profile),
        ("Created", manifest.created_at),
        ("Seed", manifest.seed),
        ("Topology", ", ".join(manifest.topology)),
        ("uvicorn workers", manifest.web_processes),
        ("BaseHTTPMiddleware", "on" if manifest.middleware else "off"),
        ("AnyIO tokens", manifest.anyio_tokens),
        ("Event loop, HTTP", f"{manifest.loop}, {manifest.http}"),
        ("Generators", generated or _planned(manifest)),
        ("Clock of the agent's host", ahead),
        ("Pinning", _flat(manifest.pinning)),
        ("Work units per ms", _flat(manifest.calibration)),
    ]
    known += [(f"Environment of {each.key}", _flat(each.versions)) for each in manifest.subjects]
    known += [(f"Left out: {key}", why) for key, why in manifest.left_out.items()]
    known += [(str(key).capitalize(), _flat(value)) for key, value in environment.items()]
    return [(name, str(value)) for name, value in known if value not in ("", None)]


def _planned(manifest: Manifest) -> str:
    elsewhere = manifest.generators_elsewhere
    return f"{manifest.generators} here" + (f", {elsewhere} elsewhere" if elsewhere else "")


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        parts = ((key, _flat(inner)) for key, inner in value.items())
        return " · ".join(f"{key} {inner}" for key, inner in parts if inner)
    if isinstance(value, list | tuple):
        return ", ".join(_flat(inner) for inner in value)
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
