"""A chart's file made part of a page: smaller, its references its own, its colours those of the page."""

import re
import zlib
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree as ET

from analysis.charts.dark import DARK, dark_rules
from analysis.charts.tags import ATTRIBUTE, read_tag

_SVG: Final = "{http://www.w3.org/2000/svg}"
_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}\b")
_BLACK: Final = "#1a1a1a"
"""what a text is that names no colour"""


def inline_svg(svg: bytes, name: str, label: str) -> str:
    """Return a chart as an element of a page, its references kept apart from others' by its `name`.

    Colours become variables, for which `colour_variables` has the values of a dark page; a chart that stays
    on white paper there keeps its own.
    """
    root = ET.fromstring(svg)
    for leftover in (*root.findall(f"{_SVG}metadata"), *root.findall(f"{_SVG}defs")):
        if leftover.tag.endswith("metadata") or leftover.find(f"{_SVG}style") is not None:
            root.remove(leftover)
    _name_subjects(root)
    _tidy(root, f"c{zlib.crc32(name.encode()):x}-", follows=bool(dark_rules(svg)))
    _share_styles(root)
    root.attrib = {"viewBox": root.get("viewBox", ""), "role": "img", "aria-label": label}
    ET.register_namespace("", _SVG.strip("{}"))
    return ET.tostring(root, encoding="unicode").replace(f' xmlns="{_SVG.strip("{}")}"', "")


def colour_variables() -> str:
    """Return what stands for each colour of a chart on a dark page, as declarations."""
    return " ".join(f"{_variable(colour)}: {dark};" for colour, dark in DARK.items())


def _variable(colour: str) -> str:
    return f"--c{colour[1:]}"


def _name_subjects(root: ET.Element) -> None:
    """Say of what is drawn whose it is, and give what it tells to each of its points, or to it as a whole."""
    for group in root.iter(f"{_SVG}g"):
        if not (value := group.attrib.pop(ATTRIBUTE, "")):
            continue
        subject, told = read_tag(value)
        group.set("data-subject", subject)
        points = list(group.iter(f"{_SVG}use")) or [group]
        for point, words in zip(points, told, strict=False):
            title = ET.Element(f"{_SVG}title")
            title.text = words
            point.insert(0, title)


def _tidy(root: ET.Element, prefix: str, *, follows: bool) -> None:
    """Shorten numbers, drop what is not referred to, and let colours and references be the page's."""
    wanted = set(_references(root))
    for element in root.iter():
        element.text, element.tail = (element.text or "").strip() or None, None
        attributes = element.attrib
        if attributes.get("id") in wanted:
            attributes["id"] = prefix + attributes["id"]
        else:
            attributes.pop("id", None)
        if reference := attributes.pop(_HREF, ""):
            attributes["href"] = f"#{prefix}{reference[1:]}" if reference[0] == "#" else reference
        if follows:
            _follow(element)
        for key, value in attributes.items():
            attributes[key] = value if key in {"href", "id"} else _short(value, prefix)


def _follow(element: ET.Element) -> None:
    """Make variables of an element's colours; where they are attributes, which know none, of its style."""
    attributes = element.attrib
    own = [f"{key}: {attributes.pop(key)}" for key in ("fill", "stroke") if "#" in attributes.get(key, "")]
    styles = [attributes.get("style", ""), *own]
    if element.tag == f"{_SVG}text" and "fill: " not in styles[0]:
        styles.append(f"fill: {_BLACK}")
    if style := "; ".join(filter(None, styles)):
        attributes["style"] = _COLOUR.sub(lambda found: f"var({_variable(found[0])}, {found[0]})", style)


def _share_styles(root: ET.Element) -> None:
    """Let a chart say each of its many styles once, as a rule: half of its length else.

    A rule is named by what it says, so that the same one of two charts of a page is the same.
    """
    rules = {}
    for element in root.iter():
        if style := element.attrib.pop("style", ""):
            name = f"s{zlib.crc32(style.encode()):x}"
            rules[name] = f".{name} {{ {style} }}"
            element.set("class", name)
    shared = ET.Element(f"{_SVG}style")
    shared.text = " ".join(rules.values())
    root.insert(0, shared)


def _references(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        yield element.get(_HREF, "").removeprefix("#")
        for value in element.attrib.values():
            yield from _REFERENCE.findall(value)


def _short(value: str, prefix: str) -> str:
    short = _NUMBER.sub(lambda found: f"{float(found[0]):.2f}", value).replace(" \n", " ").replace("\n", " ")
    return _REFERENCE.sub(rf"url(#{prefix}\1)", short).strip()
