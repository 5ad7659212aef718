"""A chart as a page shows it."""

from dataclasses import dataclass

from markupsafe import Markup

from analysis.charts.grid import Caption
from analysis.report.inline_svg import inline_svg
from analysis.report.looks import Looks


@dataclass(frozen=True)
class Drawing:
    """A chart, or the reason why there is none."""

    name: str
    words: Caption
    svg: bytes
    """empty where there was nothing to draw; the caption then says why"""
    first: bool = False
    """it stands with the answer"""

    def inline(self, looks: Looks) -> Markup:
        """Return the chart as an element of the page of those looks; its texts are escaped by their XML."""
        return Markup(inline_svg(self.svg, self.label, looks))

    @property
    def label(self) -> str:
        """What it shows, for who does not see it."""
        return f"{self.words.title}: {self.words.subtitle}. {self.words.caption}"
