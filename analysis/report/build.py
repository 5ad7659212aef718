"""A campaign's report: tables, charts and one self-contained page; notebooks where they are asked for."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from analysis.charts.catalogue import catalogue
from analysis.charts.parts import rows_at_rates
from analysis.charts.style import save
from analysis.drills.derive import Drills, derive_drills
from analysis.report.drawing import Drawing
from analysis.report.drill_pages import render_drills
from analysis.report.notebook import execute_notebooks
from analysis.report.notebook_sources import Reads, names
from analysis.report.pages import compose, render
from analysis.report.table import write_files
from analysis.trials.derive import Derived, derive, rejudged_folder
from results.errors import BlockpointError
from results.files import whole_folder
from results.store import open_campaign
from results.text import named, visible

Progress = Callable[[str], None]


def make_report(
    campaign_folder: Path,
    progress: Progress = lambda _: None,
    limit_ms: float | None = None,
    *,
    notebooks: bool = False,
) -> Path:
    """Write a campaign's `derived/` and `report/`, in place of older ones; return `report/index.html`.

    With a limit other than the campaign's own, its trials are judged by that, and both are written into
    `derive.rejudged_folder`, beside those of its own limit; there are no notebooks then.

    The new report takes the old one's place only when it is whole. With `notebooks` these are executed, which
    takes longer than all else; one that cannot be (no kernel, no sockets) leaves a note on the page instead
    of failing it. Raises BlockpointError for a campaign that is missing, damaged or without a sealed trial,
    and where nothing can be written. A campaign of drills gets the page of drills, which has no verdicts.
    """
    say = partial(_say, progress)
    manifest = open_campaign(campaign_folder).manifest
    limit_ms = None if limit_ms == manifest.limit_ms else limit_ms
    derived: Derived | Drills
    if any(plan.drill for plan in manifest.plans):
        if limit_ms is not None:
            raise BlockpointError(f"{named(campaign_folder)}: drills have no blocking point to judge again")
        derived = derive_drills(campaign_folder, say)
    else:
        derived = derive(campaign_folder, say, limit_ms)
    target = rejudged_folder(campaign_folder, limit_ms) / "report"
    try:
        with whole_folder(target) as made:
            if isinstance(derived, Drills):
                _fill_drills(made, derived, "drills" if notebooks else None, say)
            else:
                _fill(made, derived, "trials" if notebooks and _fit(derived) else None, say)
    except OSError as error:
        raise BlockpointError(f"{named(campaign_folder)}: cannot write report/ ({error.strerror})") from None
    return target / "index.html"


def _say(progress: Progress, line: str) -> None:
    progress(visible(line))


def _fit(derived: Derived) -> bool:
    """Say whether there is something for notebooks: trials at rates, judged by the campaign's own limit."""
    return derived.searched_at_ms is None and not rows_at_rates(derived).empty


def _fill(made: Path, derived: Derived, reads: Reads | None, progress: Progress) -> None:
    drawings, problems = _draw(made, derived, reads, progress)
    page = compose(derived, drawings, problems, names(reads))
    (made / "index.html").write_text(render(page), encoding="utf-8")
    write_files(page.tables, made / "tables")


def _fill_drills(made: Path, derived: Drills, reads: Reads | None, progress: Progress) -> None:
    drawings, problems = _draw(made, derived, reads, progress)
    page = render_drills(derived, drawings, problems, names(reads))
    (made / "index.html").write_text(page, encoding="utf-8")


def _draw(
    made: Path, derived: Derived | Drills, reads: Reads | None, progress: Progress
) -> tuple[list[Drawing], list[str]]:
    """Draw the charts while the notebooks run; return the charts, and what went wrong with a notebook."""
    if reads is None:
        return draw_all(derived, made / "charts", progress), []
    with ThreadPoolExecutor(1) as beside:
        notebooks: Future[list[str]] = beside.submit(
            execute_notebooks, derived.folder, made / "notebooks", reads
        )
        drawings = draw_all(derived, made / "charts", progress)
        progress("executing the notebooks")
        problems = notebooks.result()
    for problem in problems:
        progress(problem)
    return drawings, problems


def draw_all(derived: Derived | Drills, folder: Path, progress: Progress = lambda _: None) -> list[Drawing]:
    """Write every chart of a campaign as SVG and PNG; return what the page shows of them."""
    folder.mkdir(parents=True, exist_ok=True)
    drawings = []
    for chart in catalogue(derived):
        began = time.monotonic()
        svg = save(chart.draw(), folder / chart.name) if chart.draw else b""
        drawings.append(Drawing(chart.name, chart.words, svg, chart.first))
        if chart.draw:
            progress(f"drew {chart.name} in {time.monotonic() - began:.1f} s")
    return drawings
