"""A chart's SVG said shorter: what it draws stays the same, to a twentieth of a point."""

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

SVG: Final = "{http://www.w3.org/2000/svg}"
_GROUP: Final = f"{SVG}g"
_USE: Final = f"{SVG}use"
_TITLE: Final = f"{SVG}title"
_GEOMETRY: Final = frozenset({"x", "y", "width", "height", "transform"})
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_STEP: Final = re.compile(r"([A-Za-z])([^A-Za-z]*)")
_TURNED_BY_NOTHING: Final = re.compile(r"rotate\(-?0(?:\.0*)? [^)]*\)")
_ONE_BY_ONE: Final = re.compile(r"(^|; )opacity:")
"""of things that lie upon each other it does not look the same when said of all of them together"""

Place = tuple[float, float]


def shorten(root: ET.Element) -> None:
    """Shorten numbers and paths, and leave out groups that say nothing."""
    for element in root.iter():
        _shorten_one(element.attrib)
    _flatten(root)
    for group in root.iter(_GROUP):
        _lift(group)
    _join(root)


def _shorten_one(attributes: dict[str, str]) -> None:
    if _TURNED_BY_NOTHING.fullmatch(attributes.get("transform", "")):
        del attributes["transform"]
    for name in _GEOMETRY & attributes.keys():
        attributes[name] = _NUMBER.sub(lambda found: _told(_rounded(found[0])), attributes[name])
    if "d" in attributes:
        attributes["d"] = path(attributes["d"])


def path(told: str) -> str:
    """Return a path of absolute steps with its lines relative: they are short, as their ends are near."""
    steps, at = [], (0.0, 0.0)
    for command, numbers in _STEP.findall(told):
        to = [_rounded(each) for each in numbers.split()]
        steps.append(_step(command, to, at))
        at = (to[-2], to[-1]) if to else at
    return "".join(steps)


def _step(command: str, to: Sequence[float], at: Place) -> str:
    """Return one step; the differences of rounded places are exact, so that no error adds up."""
    if command != "L":
        return command + _row(to)
    right, down = to[0] - at[0], to[1] - at[1]
    if not round(down, 3):
        return f"h{_told(right)}"
    return f"l{_row((right, down))}" if round(right, 3) else f"v{_told(down)}"


def _row(values: Sequence[float]) -> str:
    return " ".join(map(_told, values)).replace(" -", "-")


def _rounded(number: str) -> float:
    """Return a number to a twentieth, a small one, of marks, to a thousandth."""
    value = float(number)
    return round(value, 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3)


def _told(value: float) -> str:
    short = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if short == "-0" else short


def _flatten(element: ET.Element) -> None:
    """Put in the place of each group that says nothing what it holds; leave out those that hold nothing."""
    kept: list[ET.Element] = []
    for child in element:
        _flatten(child)
        if child.tag != _GROUP:
            kept.append(child)
        elif len(child):
            kept += [child] if child.attrib else list(child)
    element[:] = kept


def _lift(group: ET.Element) -> None:
    """Say once of a group of marks what is said of each of them."""
    styles = {child.get("style", "") for child in group}
    if len(group) < 2 or len(styles) > 1 or "style" in group.attrib:
        return
    (style,) = styles
    if style and not _ONE_BY_ONE.search(style) and all(child.tag == _USE for child in group):
        group.set("style", style)
        for child in group:
            del child.attrib["style"]


def _join(element: ET.Element) -> None:
    """Make one group of neighbours that say the same."""
    kept: list[ET.Element] = []
    for child in element:
        _join(child)
        if kept and _alike(kept[-1], child):
            kept[-1].extend(child)
        else:
            kept.append(child)
    element[:] = kept


def _alike(one: ET.Element, other: ET.Element) -> bool:
    told = any(each.find(_TITLE) is not None for each in (one, other))
    return one.tag == other.tag == _GROUP and one.attrib == other.attrib and not told
