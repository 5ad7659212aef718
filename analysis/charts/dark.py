"""A chart's second face: the rules by which a page or a browser in dark mode recolours an SVG."""

import re
from typing import Final

DARK: Final = {
    "#ffffff": "#1d2327",
    "#222222": "#e6e9eb",
    "#1a1a1a": "#f2f4f5",
    "#444444": "#c4cacf",
    "#666666": "#9aa5ae",
    "#8a8a8a": "#a9b1b8",
    "#999999": "#66717a",
    "#cccccc": "#48525a",
    "#dddddd": "#343d43",
    "#b00020": "#ff8a80",
    "#0072b2": "#4da3e0",
    "#56b4e9": "#9ad6fa",
    "#d55e00": "#ff8a3d",
    "#e69f00": "#f2b93b",
    "#009e73": "#2fc79a",
    "#cc79a7": "#e6a3c8",
    "#6a3d9a": "#b08be0",
    "#1b7c8c": "#55bccb",
    "#8c5a00": "#cf9a45",
    "#9a1f6a": "#e372b4",
    "#4c7a00": "#9ccc4a",
    "#a0404a": "#e58a92",
    "#3f51b5": "#8f9df0",
    "#7b5c52": "#c3a297",
    "#8e7cc3": "#b9abea",
    "#d1495b": "#f08a98",
    "#455a64": "#9db4c0",
    "#b08d00": "#dcc04a",
    "#332288": "#9a8cf0",
    "#882255": "#d977ab",
    "#999933": "#c2c25a",
    "#117733": "#4fb877",
    "#aa4499": "#d77fcb",
    "#44aa99": "#6fd1c1",
    "#a6dcc9": "#1f6b54",
    "#00664b": "#7fe0bf",
    "#fbe3a8": "#5c4a17",
    "#a86f00": "#f2b94b",
    "#c2452d": "#e0604a",
    "#7a1f10": "#ffb3a3",
}
"""what stands for each colour on a dark page; the paper is the first"""
_COLOURED: Final = re.compile(rb"""\b(fill|stroke)(: |=")(#[0-9a-f]{6})""")
"""as a style, or as an attribute of its own, which matplotlib gives to what lies beneath a hatching"""
_UNSAID: Final = 'text:not([style*="fill: "]){fill:#f2f4f5}'
"""black is what a text is that names no colour"""
_STYLE: Final = b"</style>"
_SCREEN: Final = "@media screen and (prefers-color-scheme: dark)"


def follow_the_reader(svg: bytes) -> bytes:
    """Return an SVG that turns dark where its reader's screen is, and says so nowhere else.

    Its own colours stay as they are, for readers that know no rules and for paper. One that has pixels, or a
    colour without a counterpart, stays on white paper.
    """
    rules = dark_rules(svg)
    return svg.replace(_STYLE, f"{_SCREEN}{{{rules}}}".encode() + _STYLE, 1) if rules else svg


def dark_rules(svg: bytes) -> str:
    """Return the rules that recolour what an SVG paints, as CSS; empty where it stays as it is."""
    painted = sorted({tuple(part.decode() for part in found) for found in _COLOURED.findall(svg)})
    if b"<image" in svg or any(colour not in DARK for *_, colour in painted):
        return ""
    rules = (f"{_selector(*found)}{{{found[0]}:{DARK[found[2]]} !important}}" for found in painted)
    return "".join([_UNSAID, *rules])


def _selector(name: str, sign: str, colour: str) -> str:
    return f'[style*="{name}: {colour}"]' if sign == ": " else f'[{name}="{colour}"]'
