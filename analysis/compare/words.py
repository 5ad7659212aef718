"""A comparison in words: for a terminal, a pull request and a page."""

import math
from collections.abc import Iterator
from html import escape
from typing import Final

from analysis.compare.comparison import Compared, SideBySide
from analysis.compare.ratios import Ratio
from analysis.compare.rules import Judgement, Rule

COLUMNS: Final = ("what", "metric", "second / first", "interval", "found")
_SAID: Final = {
    Judgement.REGRESSION: "worse",
    Judgement.NO_DIFFERENCE: "nothing found that is worse",
    Judgement.NOT_MEASURABLE: "not measurable: too little is known of both",
}


def parts(found: SideBySide) -> Iterator[tuple[str, list[tuple[str, str, str, str, str]]]]:
    """Yield what was compared, and a row for each of its ratios of which something is known, by `COLUMNS`."""
    for compared in found.compared:
        if told := [row(compared, ratio) for ratio in compared.ratios if ratio.known]:
            yield compared.words, told


def row(compared: Compared, ratio: Ratio) -> tuple[str, str, str, str, str]:
    """Return what is said of one ratio."""
    middle = "-" if math.isnan(ratio.middle) else f"{ratio.middle:.3f}"
    high = "any" if math.isinf(ratio.high) else f"{ratio.high:.3f}"
    return compared.words, ratio.metric, middle, f"{ratio.low:.3f} to {high}", said(ratio)


def said(ratio: Ratio) -> str:
    """Return the verdict on one ratio."""
    if ratio.worse:
        return "WORSE"
    if ratio.better:
        return "better"
    apart = ratio.low > ratio.margin or ratio.high < 1 / ratio.margin
    return "apart, but shaky" if apart else "none found"


def conclusion(found: SideBySide, verdict: Judgement, rules: list[Rule]) -> str:
    """Return the last line."""
    told = [ratio for _, ratio in found.ratios]
    broken = [
        rule.text for rule in rules for ratio in told if ratio.metric == rule.metric and rule.broken(ratio)
    ]
    worse, better = sum(each.worse for each in told), sum(each.better for each in told)
    by = f" by {', '.join(dict.fromkeys(broken))}" if broken else ""
    return (
        f"{found.second} against {found.first}: {_SAID[verdict]}{by} "
        f"({len(told)} ratios: {worse} worse, {better} better)"
    )


def comments(found: SideBySide) -> Iterator[str]:
    """Yield what to know before a cause is named."""
    for each in found.flagged:
        yield f"unlike: {each}"
    yield from found.remarks


def as_markdown(found: SideBySide, verdict: Judgement, rules: list[Rule]) -> str:
    """Return the comparison as a comment for a pull request: what differs, the rest folded away."""
    apart = [row(*each) for each in found.ratios if each[1].differs]
    every = [row(*each) for each in found.ratios]
    lines = [f"**{_cell(conclusion(found, verdict, rules))}**", ""]
    if apart:
        lines += [*_table(apart), ""]
    lines += ["<details><summary>every ratio</summary>", "", *_table(every), "", "</details>", ""]
    if told := list(comments(found)):
        lines += ["<details><summary>unlike conditions</summary>", "", *(f"- {_cell(each)}" for each in told)]
        lines += ["", "</details>", ""]
    return "\n".join(lines)


def _table(told: list[tuple[str, str, str, str, str]]) -> list[str]:
    head = [f"| {' | '.join(COLUMNS)} |", "| --- | --- | ---: | ---: | --- |"]
    return head + [f"| {' | '.join(map(_cell, each))} |" for each in told]


def _cell(text: str) -> str:
    return escape(text, quote=False).replace("|", "\\|")
