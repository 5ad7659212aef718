"""The command `report`; the one door through which the harness comes to charts and pages."""

from collections.abc import Callable
from pathlib import Path

from harness.terminal.signals import KEPT
from results.store import campaign_folder


def make(
    folder: Path, say: Callable[[str], None], limit_ms: float | None = None, *, notebooks: bool = False
) -> Path:
    """Make a campaign's charts and page, and execute its notebooks; returns the page. Raises BlockpointError.

    With another limit than its own, it is judged again, and the page goes into a folder of that limit.
    """
    from analysis.report.build import make_report

    return make_report(folder, say, limit_ms, notebooks=notebooks)


def report(
    campaign: str, say: Callable[[str], None], limit_ms: float | None = None, *, notebooks: bool = False
) -> None:
    """Make the report of a campaign that is named or lies in a folder; raises BlockpointError."""
    folder = campaign_folder(campaign)
    KEPT.set(lambda: f"{folder} is as it was; make its report with `blockpoint report {campaign}`")
    say(f"report: {make(folder, say, limit_ms, notebooks=notebooks)}")
