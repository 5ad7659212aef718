"""Whether accepted tasks outlive a kill, by the drills that were published."""

from collections.abc import Mapping, Sequence
from typing import Final

from analysis.drills.facts import Fact
from analysis.format import number
from analysis.order import order
from analysis.report.drill_words import duration
from analysis.report.table import NOTHING, Column, Row, Table, Value
from results.schema import Manifest

Facts = Mapping[tuple[str, str], Fact]
"""by subject and drill"""
KILLED: Final = {"kill-web": "web process", "kill-worker": "worker", "kill-broker": "broker"}
"""by drill"""


def survives(subject: str, drill: str, facts: Facts, manifest: Manifest) -> Value:
    """Return the verdict of a drill on a subject; where there is none, a word says why."""
    fact = facts.get((subject, drill))
    if fact is not None:
        verdict, why, look = _outcome(fact)
        source = f"{fact.campaign}: {drill} of {subject}, killed {fact.repeats} times"
        return Value(verdict, why, fact.lost / fact.accepted, source, fact_anchor(fact), look)
    if drill != "kill-web" and _workers(subject, facts, manifest) == 0:
        return Value(NOTHING, f"no {KILLED[drill]}", source="it has none that could be killed")
    return Value("untried", source=f"no drill of it was published: {drill}", look="unsure")


def _workers(subject: str, facts: Facts, manifest: Manifest) -> int | None:
    """Return how many it declares in the campaign or else in a published drill; None where in neither."""
    told = {of: fact.workers for (of, _), fact in facts.items()}
    told |= {each.key: each.workers for each in manifest.subjects}
    return told.get(subject)


def _outcome(fact: Fact) -> tuple[str, str, str]:
    """Return the verdict, what it rests on, and its look.

    What was lost is told of the tasks under way at the kill, unless others were lost, too.
    """
    met = fact.in_flight if fact.lost == fact.lost_in_flight else fact.accepted
    hidden = f"{number(fact.hidden_at_rest)} hidden" if fact.hidden_at_rest else ""
    if fact.lost:
        return "no", "; ".join(filter(None, [f"{number(fact.lost)} of {number(met)} lost", hidden])), "bad"
    if fact.held:
        return "held", f"{number(fact.held)} of {number(fact.accepted)} had not come back at the end", "late"
    if hidden:
        window = f" for {duration(fact.default_window_s)} by default" if fact.default_window_s > 0 else ""
        return "late", f"{hidden}{window}", "late"
    return "yes", f"of {number(fact.in_flight)} none lost" if fact.in_flight else "none was under way", "good"


def fact_anchor(fact: Fact) -> str:
    """Return the anchor of a drill's fact."""
    return f"fact-{fact.drill}-{fact.subject}".replace("/", "-").replace("_", "-")


def losses(subjects: Sequence[str], facts: Facts) -> Table:
    """Return every fact of these subjects."""
    labels = ("Kills", "Accepted", "Under way", "Lost", "Hidden", "Twice", "Hidden for", "By default")
    own = [fact for fact in facts.values() if fact.subject in subjects]
    own.sort(key=lambda fact: (fact.drill, order(*fact.subject.split("/"))))
    columns = [Column("drill", numeric=False), *(Column(each) for each in labels)]
    return Table("losses", "Published drills, tasks summed over the kills", columns, [_row(f) for f in own])


def _row(fact: Fact) -> Row:
    counts = (fact.repeats, fact.accepted, fact.in_flight, fact.lost, fact.hidden_at_rest, fact.twice)
    windows = (fact.hidden_until_s, fact.default_window_s if fact.hidden_at_rest else 0.0)
    values = [Value(fact.drill, f"results/published/{fact.campaign}")]
    values += [Value(number(count), sort=float(count)) for count in counts]
    values += [Value(duration(each), sort=each) if each > 0 else Value(NOTHING) for each in windows]
    strategy, variant = fact.subject.split("/")
    return Row(strategy, variant, values, anchor=fact_anchor(fact))
