"""What a master does with its workers before a run and after it: who is there, and what they bring."""

from collections.abc import Sequence

from loadtests.openloop.crew import Crew, Sighting
from loadtests.openloop.order import LATE_S
from loadtests.openloop.run import Run
from loadtests.openloop.schedule import NS_PER_S
from results.errors import BlockpointError


def mute(name: str) -> str:
    """Say that a worker does not know what it is asked."""
    return f"worker {name} does not answer: it needs the same locustfile; no load was sent"


def mustered(crew: Crew, names: Sequence[str]) -> list[Sighting]:
    """Return who shares the schedule, their clocks compared.

    Raises BlockpointError where there is nobody, and for a worker whose clock cannot be known.
    """
    if not names:
        raise BlockpointError("no Locust worker is connected; no load was sent")
    found: list[Sighting] = []
    for name, sighting in zip(names, crew.compare(names), strict=True):
        if sighting is None:
            raise BlockpointError(mute(name))
        if sighting.offset.uncertainty_ns > LATE_S * NS_PER_S:
            raise BlockpointError(
                f"worker {name}: its clock can be known to {sighting.offset.uncertainty_ns / NS_PER_S:.1f} s "
                "only, so slowly does it answer; no load was sent"
            )
        found.append(sighting)
    return found


def bring_in(crew: Crew, run: Run) -> None:
    """Compare the clocks again, then fetch the rows of one worker after the other."""
    there = [index for index in sorted(run.reports) if not crew.gone(run.crew[index].name)]
    seen = crew.compare([run.crew[index].name for index in there])
    run.clocks_after = {
        index: again.offset for index, again in zip(there, seen, strict=True) if again is not None
    }
    for index in run.clocks_after:
        rows = crew.fetch(run.crew[index].name, run.tag, run.reports[index]["rows"])
        if rows is not None:
            run.rows[index] = rows
