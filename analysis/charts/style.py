"""How everything looks: one colour a strategy, one line style a variant, files that come out the same."""

import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.charts.dark import follow_the_reader
from analysis.charts.tags import keep_tags, said_by

mpl.rcdefaults()  # whatever a matplotlibrc says, in the working directory or at home

COLOURS: Final = {
    "inline": "#1A1A1A",
    "background_tasks": "#0072B2",
    "background_tasks_async": "#56B4E9",
    "background_tasks_blocking": "#D55E00",
    "threadpool": "#E69F00",
    "celery": "#009E73",
    "arq": "#CC79A7",
    "create_task": "#6A3D9A",
    "yield_dependency": "#1B7C8C",
    "processpool": "#8C5A00",
    "apscheduler": "#9A1F6A",
    "celery_rabbitmq": "#4C7A00",
    "taskiq": "#A0404A",
    "dramatiq": "#3F51B5",
    "rq": "#7B5C52",
    "saq": "#8E7CC3",
    "streaq": "#D1495B",
    "huey": "#455A64",
    "procrastinate": "#B08D00",
}
"""Okabe and Ito's palette, which readers with any colour vision can tell apart; its black is not quite
black, so that an SVG names it; then what is left to tell apart, where no chart relies on colour alone"""
_OTHERS: Final = ("#332288", "#882255", "#999933", "#117733", "#AA4499", "#44AA99")
"""Paul Tol's muted palette, for strategies of other packages"""
ROLE_COLOURS: Final = {"web": "#0072B2", "worker": "#E69F00", "broker": "#009E73"}
INK: Final = "#222222"
MUTED: Final = "#666666"
FAINT: Final = "#DDDDDD"
ALARM: Final = "#B00020"


@dataclass(frozen=True)
class Fill:
    """How a stretch is filled: told apart by height and hatching, too."""

    fill: str
    edge: str
    hatch: str
    height: float


STATES: Final = {
    "KEEPS_UP": Fill("#A6DCC9", "#00664B", "", 0.42),
    "BEHIND": Fill("#FBE3A8", "#A86F00", "/////", 0.3),
    "BLOCKED": Fill("#C2452D", "#7A1F10", "", 0.16),
}
"""by the name of a `trials.stretches.State`: the bar gets thinner and darker as things get worse"""
_VARIANTS: Final = {
    "default": ("-", "o"),
    "late": ((0, (5, 1.5, 1, 1.5)), "^"),
    "threads": ((0, (3, 1, 1, 1)), "v"),
    "tuned": ((0, (5, 2)), "s"),
    "durable": ((0, (1, 1.5)), "D"),
}
_OTHER_VARIANT: Final = ((0, (1, 1.5)), "D")

RC: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.7,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "svg.hashsalt": "blockpoint",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "path.simplify": True,
}

_SVG_DPI: Final = 192
"""of what is drawn in pixels there: thousands of dots"""
_FONT: Final = b"font-family: 'DejaVu Sans'"
_ALIKE: Final = _FONT + b", Verdana, sans-serif"
"""letters as wide, where a reader has not the font"""
_UNWRITABLE: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
"""what XML allows in no place"""


def colour(strategy: str) -> str:
    """Return a strategy's colour: the same in every chart and every campaign, for unknown ones too."""
    return COLOURS.get(strategy) or _OTHERS[zlib.crc32(strategy.encode()) % len(_OTHERS)]


def variant_style(variant: str) -> tuple[str | tuple[int, tuple[float, ...]], str]:
    """Return line style and marker of a variant."""
    return _VARIANTS.get(variant, _OTHER_VARIANT)  # type: ignore[return-value]


def to_svg(figure: Figure) -> bytes:
    """Render as SVG: the same bytes for the same figure, without a date, well-formed whatever it says.

    Text stays text, and the colours follow the reader's: see `dark`.
    """
    buffer = io.BytesIO()
    _take_literally(figure)
    with mpl.rc_context(RC):
        figure.savefig(buffer, format="svg", dpi=_SVG_DPI, metadata={"Date": None, "Creator": None})
    svg = keep_tags(_UNWRITABLE.sub(b"?", buffer.getvalue()))
    return follow_the_reader(svg.replace(_FONT, _ALIKE))


def to_png(figure: Figure) -> bytes:
    """Render as PNG at 144 dots per inch; its `Description` holds what it says, for who searches it."""
    buffer = io.BytesIO()
    _take_literally(figure)
    with mpl.rc_context(RC):
        metadata = {"Software": None, "Description": "\n".join(said_by(figure))}
        figure.savefig(buffer, format="png", dpi=144, metadata=metadata)
    return buffer.getvalue()


def _take_literally(figure: Figure) -> None:
    """Let no text be read as a formula: a name may hold dollar signs."""
    for text in figure.findobj(Text):
        text.set_parse_math(False)


def save(figure: Figure, path: Path) -> bytes:
    """Write `path`.svg and `path`.png; return the SVG."""
    svg = to_svg(figure)
    path.with_suffix(".svg").write_bytes(svg)
    path.with_suffix(".png").write_bytes(to_png(figure))
    return svg
