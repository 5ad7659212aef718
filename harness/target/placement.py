"""Where a command puts its roles: by the rule of the topology, but for those that were placed by hand."""

import re
from dataclasses import dataclass, replace
from typing import Self

from harness.target.cores import Pinning, available_cores, choose
from results.errors import BlockpointError, unknown
from results.roles import ROLES

MOST_CORES = 4096
"""in one range: more is a slip of the finger"""


@dataclass(frozen=True)
class Placement:
    """Cores by role, as they were asked for; the other roles go where the topology puts them."""

    asked: tuple[tuple[str, tuple[int, ...]], ...] = ()
    pinned: bool = True
    generators: int = 1
    """processes that want a core each"""
    elsewhere: tuple[int, ...] | None = None
    """the cores of the host that the target is on, where that is another than the generators'"""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `web=0,worker=1-2,generator=3`; a role's cores may also stand one by one: `web=0,1`.

        Raises BlockpointError for an unknown role, and for a core that is not there or not ours.
        """
        asked: dict[str, set[int]] = {}
        role = ""
        for part in filter(None, (word.strip() for word in text.split(","))):
            name, given, cores = part.rpartition("=")
            role = name.strip() if given else role
            if not role:
                raise BlockpointError(f"--cores: {part!r} names no role; write for example web=0,generator=1")
            if role not in ROLES:
                raise unknown("role in --cores", role, ROLES)
            asked.setdefault(role, set()).update(_range(cores))
        _refuse_missing(set().union(*asked.values()))
        return cls(tuple((role, tuple(sorted(cores))) for role, cores in asked.items()))

    def pinning(self, topology: str) -> Pinning:
        """Return every role's cores; workers on the generator's core give way to it there."""
        if not self.pinned:
            return Pinning(note="not pinned: trials run beside each other")
        chosen = choose(topology, available_cores(), self.generators)
        if self.elsewhere is not None:
            return self._apart(choose(topology, self.elsewhere), chosen)
        if not self.asked:
            return chosen
        by_rule = {role: chosen.cores(role) for role in ROLES}
        web, worker, broker, generator = ({**by_rule, **dict(self.asked)}[role] for role in ROLES)
        crowded = {*generator} & {*web, *broker}
        note = "as asked" + ("; the generator shares a core with the target" if crowded else "")
        return Pinning(web, worker, broker, generator, bool({*generator} & {*worker}), note)

    def _apart(self, there: Pinning, here: Pinning) -> Pinning:
        """Return where roles are on two hosts: the target's as if a generator were beside it."""
        generator = dict(self.asked).get("generator", here.generator)
        note = "; ".join(filter(None, ("the generator's cores are those of another host", there.note)))
        return replace(there, generator=generator, workers_give_way=False, note=note)


BY_RULE = Placement()
NOWHERE = Placement(pinned=False)


def _range(text: str) -> range:
    given = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,9}))?", text.strip())
    cores = range(int(given[1]), int(given[2] or given[1]) + 1) if given else range(0)
    if not 0 < len(cores) <= MOST_CORES:
        raise BlockpointError(f"--cores: {text!r} is not a core; write a number, or a range such as 1-3")
    return cores


def _refuse_missing(cores: set[int]) -> None:
    available = available_cores()
    if cores and not available:
        raise BlockpointError("--cores: this platform cannot pin processes to cores")
    if missing := sorted(cores.difference(available)):
        raise BlockpointError(
            f"--cores: core {missing[0]} is not available here; there are {', '.join(map(str, available))}"
        )
