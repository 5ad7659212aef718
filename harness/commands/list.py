"""The command `list`: every name that the other commands take, with what it means."""

import ast
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from analysis.trials.questions import QUESTIONS
from harness.campaign.profiles import PROFILES
from harness.drills.catalogue import DRILLS
from harness.search.profiles import SEARCHES
from harness.target.cores import TOPOLOGIES
from harness.target.declarations import subject as subject_of
from harness.target.environments import is_made
from harness.trial.generator import SCENARIOS
from results.errors import BlockpointError
from results.terms import KINDS
from targets.registry import installed
from targets.settings import Settings
from targets.strategy import Definition

SECTIONS = {
    "kinds": ("kinds of task", 10),
    "scenarios": ("scenarios (locust -f loadtests/NAME.py)", 14),
    "topologies": ("topologies", 10),
    "questions": ("questions that `find` answers", 10),
    "drills": ("drills", 16),
    "find_profiles": ("profiles of `find`", 10),
    "run_profiles": ("profiles of `run`", 10),
}
"""by key of the document: the title, and how wide its names stand"""


def listing() -> Iterator[str]:
    """Yield the lines of the list."""
    listed = names()
    yield "strategies and variants (tuned: 40 slots unless --slots says otherwise)"
    for strategy in listed["strategies"]:
        yield from _strategy_lines(strategy)
    for key, (title, wide) in SECTIONS.items():
        yield title
        yield from (f"  {entry['name']:{wide}} {entry['summary']}" for entry in listed[key])


def names() -> dict[str, list[dict[str, Any]]]:
    """Return every name with what it means."""
    with ThreadPoolExecutor() as asking:
        strategies = list(asking.map(_strategy, *zip(*installed(), strict=True)))
    return {
        "strategies": strategies,
        "kinds": _named({name: kind.summary for name, kind in KINDS.items()}),
        "scenarios": _named(scenarios()),
        "topologies": _named(TOPOLOGIES),
        "questions": _named(
            {q.name: f"where {q.words}: {q.meaning_at('the limit')}" for q in QUESTIONS.values()}
        ),
        "drills": _named({drill.name: drill.summary for drill in DRILLS.values()}),
        "find_profiles": _named({search.name: search.summary for search in SEARCHES.values()}),
        "run_profiles": _named({profile.name: profile.summary for profile in PROFILES.values()}),
    }


def _named(summaries: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "summary": summary} for name, summary in summaries.items()]


def _strategy(name: str, found: Definition | BlockpointError) -> dict[str, Any]:
    if isinstance(found, BlockpointError):
        return {"name": name, "summary": None, "problem": str(found), "variants": []}
    variants = [_variant(found, variant) for variant in found.variants]
    return {"name": found.name, "summary": found.summary, "problem": None, "variants": variants}


def _variant(definition: Definition, variant: str) -> dict[str, Any]:
    told = {"name": variant, "summary": definition.variants[variant].summary}
    try:
        if not is_made(definition.name):
            return told | {"slots": None, "slots_are": "known once its environment is made", "problem": None}
        slots = subject_of(definition.name, variant, Settings()).services["sleep"].slots
    except BlockpointError as error:
        return told | {"slots": None, "slots_are": "unknown", "problem": str(error)}
    return told | {"slots": slots or None, "slots_are": "limited" if slots else "no limit", "problem": None}


def _strategy_lines(strategy: Mapping[str, Any]) -> Iterator[str]:
    if strategy["problem"]:
        yield f"  warning: {strategy['problem']}"
        return
    yield f"  {strategy['name']}: {strategy['summary']}"
    for variant in strategy["variants"]:
        if variant["problem"]:
            yield f"    warning: {variant['problem']}"
        else:
            slots = variant["slots"] or variant["slots_are"]
            yield f"    {variant['name']:8} {variant['summary']} [slots: {slots}]"


def scenarios() -> dict[str, str]:
    """Return each scenario's name and caption: the first line of its file's docstring."""
    found = {}
    for path in sorted(SCENARIOS.glob("[a-z]*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        found[path.stem] = docstring.partition("\n")[0]
    return found
