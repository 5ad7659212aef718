"""Whom what is drawn belongs to, and what it tells: carried into the SVG, where a page makes use of it."""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import parse_qs, urlencode

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.text import Text

ATTRIBUTE: Final = "data-tag"
"""of a group of the SVG"""
_NAME: Final = "tag?"
_TAGGED: Final = re.compile(rb'<g id="tag\?([^"]*)"')


def tag(artist: Artist, subject: str, told: Sequence[str] = ()) -> None:
    """Say that an artist belongs to a subject, and what each of its points tells, or it as a whole."""
    artist.set_gid(_NAME + urlencode({"subject": subject, "told": told}, doseq=True))


def keep_tags(svg: bytes) -> bytes:
    """Return an SVG with the tags as attributes: many artists belong to one subject, and an id is unique."""
    return _TAGGED.sub(rb'<g %s="\1"' % ATTRIBUTE.encode(), svg)


def read_tag(value: str) -> tuple[str, list[str]]:
    """Return the subject of a tag, and what it tells."""
    found = parse_qs(value)
    return found["subject"][0], found.get("told", [])


def said_by(figure: Figure) -> list[str]:
    """Return what a figure says, each line once: its texts, and what its marks tell."""
    texts = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
    tags = [artist.get_gid() or "" for artist in figure.findobj()]
    told = [line for gid in tags if gid.startswith(_NAME) for line in read_tag(gid.removeprefix(_NAME))[1]]
    return list(dict.fromkeys(filter(None, map(str.strip, texts + told))))
