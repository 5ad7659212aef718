"""A chart's file made part of a page: shorter, its references its own, its colours those of the page."""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

from analysis.charts.dark import DARK, dark_rules
from analysis.charts.tags import ATTRIBUTE, read_tag
from analysis.report.lean_svg import SVG, shorten
from analysis.report.looks import Looks

_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}\b")
_BLACK: Final = "#1a1a1a"
"""what a text is that names no colour"""


def inline_svg(svg: bytes, label: str, looks: Looks) -> str:
    """Return a chart as an element of a page, whose charts share their `looks`.

    Colours become variables, for which `colour_variables` has the values of a dark page; a chart that stays
    on white paper there keeps its own.
    """
    root = ET.fromstring(svg)
    for leftover in (*root.findall(f"{SVG}metadata"), *root.findall(f"{SVG}defs")):
        if leftover.tag.endswith("metadata") or leftover.find(f"{SVG}style") is not None:
            root.remove(leftover)
    _name_subjects(root)
    _refer_within(root, looks.next_chart())
    if dark_rules(svg):
        _follow_the_page(root)
    shorten(root)
    _share(root, looks)
    root.attrib = {"viewBox": root.get("viewBox", ""), "role": "img", "aria-label": label}
    ET.register_namespace("", SVG.strip("{}"))
    element = ET.tostring(root, encoding="unicode")
    return element.replace(f' xmlns="{SVG.strip("{}")}"', "").replace(" />", "/>")


def colour_variables() -> str:
    """Return what stands for each colour of a chart on a dark page, as declarations."""
    return " ".join(f"{_variable(colour)}: {dark};" for colour, dark in DARK.items())


def _variable(colour: str) -> str:
    return f"--c{colour[1:]}"


def _name_subjects(root: ET.Element) -> None:
    """Say of what is drawn whose it is, and give what it tells to each of its points, or to it as a whole."""
    for group in root.iter(f"{SVG}g"):
        if not (value := group.attrib.pop(ATTRIBUTE, "")):
            continue
        subject, told = read_tag(value)
        group.set("data-subject", subject)
        points = list(group.iter(f"{SVG}use")) or [group]
        for point, words in zip(points, told, strict=False):
            title = ET.Element(f"{SVG}title")
            title.text = words
            point.insert(0, title)


def _refer_within(root: ET.Element, prefix: str) -> None:
    """Give numbers to what is referred to, drop all other names, and point every reference there."""
    wanted = set(_references(root))
    names: dict[str, str] = {}
    for element in root.iter():
        element.text, element.tail = (element.text or "").strip() or None, None
        if (own := element.attrib.pop("id", "")) in wanted:
            element.set("id", names.setdefault(own, f"{prefix}{len(names)}"))
    for element in root.iter():
        if reference := element.attrib.pop(_HREF, ""):
            element.set("href", f"#{names.get(reference[1:], '')}" if reference[0] == "#" else reference)
        for key, value in element.attrib.items():
            if key != "data-subject":
                element.set(key, _REFERENCE.sub(lambda found: f"url(#{names.get(found[1], '')})", value))


def _references(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        if reference := element.get(_HREF, ""):
            yield reference.removeprefix("#")
        for value in element.attrib.values():
            yield from _REFERENCE.findall(value)


def _follow_the_page(root: ET.Element) -> None:
    """Make variables of colours; where they are attributes, which know none, of the element's style."""
    for element in root.iter():
        attributes = element.attrib
        own = [
            f"{key}: {attributes.pop(key)}" for key in ("fill", "stroke") if "#" in attributes.get(key, "")
        ]
        styles = [attributes.get("style", ""), *own]
        if element.tag == f"{SVG}text" and "fill: " not in styles[0]:
            styles.append(f"fill: {_BLACK}")
        if style := "; ".join(filter(None, styles)):
            attributes["style"] = _COLOUR.sub(lambda found: f"var({_variable(found[0])}, {found[0]})", style)


def _share(root: ET.Element, looks: Looks) -> None:
    """Let a class of the page stand for each of the many styles."""
    for element in root.iter():
        if style := element.attrib.pop("style", ""):
            element.set("class", looks.name(style))
