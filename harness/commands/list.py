"""The command `list`: every name that the other commands take, with what it means."""

import ast
from collections.abc import Iterator

from analysis.trials.questions import QUESTIONS
from harness.campaign.profiles import PROFILES
from harness.drills.catalogue import DRILLS
from harness.search.profiles import SEARCHES
from harness.target.cores import TOPOLOGIES
from harness.trial.generator import SCENARIOS
from results.errors import BlockpointError
from targets.settings import Settings
from targets.strategy import Definition, installed
from targets.work import KINDS


def listing() -> Iterator[str]:
    """Yield the lines of the list."""
    yield "strategies and variants (tuned: 40 slots unless --slots says otherwise)"
    for _, found in installed():
        if isinstance(found, BlockpointError):
            yield f"  warning: {found}"
        else:
            yield f"  {found.name}: {found.summary}"
            yield from (_variant(found, variant) for variant in found.variants)
    yield "kinds of task"
    yield from (f"  {name:10} {kind.summary}" for name, kind in KINDS.items())
    yield "scenarios (locust -f loadtests/NAME.py)"
    yield from (f"  {name:14} {caption}" for name, caption in scenarios().items())
    yield "topologies"
    yield from (f"  {name:10} {meaning}" for name, meaning in TOPOLOGIES.items())
    yield "questions that `find` answers"
    yield from (f"  {q.name:10} where {q.words}: {q.meaning_at('the limit')}" for q in QUESTIONS.values())
    yield "drills"
    yield from (f"  {drill.name:16} {drill.summary}" for drill in DRILLS.values())
    yield "profiles of `find`"
    yield from (f"  {search.name:10} {search.summary}" for search in SEARCHES.values())
    yield "profiles of `run`"
    yield from (f"  {profile.name:10} {profile.summary}" for profile in PROFILES.values())


def _variant(definition: Definition, variant: str) -> str:
    try:
        slots = definition.subject(variant, Settings()).services["sleep"].slots
    except BlockpointError as error:
        return f"    warning: {error}"
    return f"    {variant:8} {definition.variants[variant].summary} [slots: {slots or 'no limit'}]"


def scenarios() -> dict[str, str]:
    """Return each scenario's name and caption: the first line of its file's docstring."""
    found = {}
    for path in sorted(SCENARIOS.glob("[a-z]*.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        found[path.stem] = docstring.partition("\n")[0]
    return found
