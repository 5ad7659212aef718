"""A chart's file made part of a page: text that can be read and searched, colours that follow the page."""

import html
import itertools
import re
import zlib
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_SCALE: Final = re.compile(r" scale\(([\d.]+) -[\d.]+\)")
_FOLLOWS: Final = {
    "#ffffff": "var(--card, #ffffff)",
    "#000000": "var(--ink, #000000)",
    "#222222": "var(--ink, #222222)",
    "#444444": "var(--ink, #444444)",
    "#666666": "var(--muted, #666666)",
    "#999999": "var(--muted, #999999)",
    "#dddddd": "var(--line, #dddddd)",
    "#b00020": "var(--alarm, #b00020)",
}
"""what of a chart is paper and ink; the strategies keep their colours"""
_COLOUR: Final = re.compile("|".join(_FOLLOWS))


def inline_svg(svg: bytes, name: str, label: str) -> str:
    """Return a chart as an element of a page, its references kept apart from others' by its `name`.

    Letters that were drawn become text again, in the place and size that they had. A chart that writes in
    white stands on grounds of its own, so that it keeps its colours on a page of any.
    """
    root = ET.fromstring(svg, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    for group in list(root.iter(f"{_SVG}g")):
        _write(group)
    _tidy(root, f"c{zlib.crc32(name.encode()):x}-", follows=not _writes_in_white(root))
    for leftover in (*root.findall(f"{_SVG}metadata"), *root.findall(f"{_SVG}defs")):
        if leftover.tag.endswith("metadata") or leftover.find(f"{_SVG}style") is not None:
            root.remove(leftover)
    root.attrib = {"viewBox": root.get("viewBox", ""), "role": "img", "aria-label": label}
    ET.register_namespace("", _SVG.strip("{}"))
    return ET.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG.strip("{}")}"', "")


def _write(group: ET.Element) -> None:
    """Make text of each comment of a group, which says what is written, and the letters drawn after it."""
    for comment, letters in list(itertools.pairwise(group)):
        size = _SCALE.search(letters.get("transform", ""))
        if callable(comment.tag) and size:
            place = list(group).index(letters)
            group[place] = _text(letters, html.unescape(str(comment.text).strip()), 100 * float(size[1]))


def _text(letters: ET.Element, written: str, size_px: float) -> ET.Element:
    style = f"{letters.get('style', 'fill: #000000')}; font-size: {size_px:g}px"
    text = ET.Element(
        f"{_SVG}text", {"transform": _SCALE.sub("", letters.get("transform", "")), "style": style}
    )
    text.text = written
    if any("Bold" in use.get(_HREF, "") for use in letters.iter(f"{_SVG}use")):
        text.set("font-weight", "bold")
    return text


def _writes_in_white(root: ET.Element) -> bool:
    return any("fill: #ffffff" in text.get("style", "") for text in root.iter(f"{_SVG}text"))


def _tidy(root: ET.Element, prefix: str, *, follows: bool) -> None:
    """Shorten numbers, drop what is not referred to, and let colours and references be the page's."""
    wanted = set(_references(root))
    for element in root.iter():
        for child in [each for each in element if callable(each.tag)]:
            element.remove(child)
        element.text, element.tail = (element.text or "").strip() or None, None
        attributes = element.attrib
        if attributes.get("id") in wanted:
            attributes["id"] = prefix + attributes["id"]
        else:
            attributes.pop("id", None)
        if reference := attributes.pop(_HREF, ""):
            attributes["href"] = f"#{prefix}{reference[1:]}" if reference[0] == "#" else reference
        for key, value in attributes.items():
            attributes[key] = _attribute(key, value, prefix, follows=follows)


def _references(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        yield element.get(_HREF, "").removeprefix("#")
        for value in element.attrib.values():
            yield from _REFERENCE.findall(value)


def _attribute(key: str, value: str, prefix: str, *, follows: bool) -> str:
    if key in {"href", "id"}:
        return value
    short = _NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value).replace(" \n", " ").replace("\n", " ")
    if key == "style" and follows:
        short = _COLOUR.sub(lambda found: _FOLLOWS[found[0]], short)
    return _REFERENCE.sub(rf"url(#{prefix}\1)", short).strip()
