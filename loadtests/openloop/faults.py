"""Which arrivals a drill spoils on purpose: pure arithmetic on arrival numbers.

An arrival's number counts the tasks of the whole schedule, so that every sharding spoils the same ones.
"""

from typing import Any

import numpy as np

from loadtests.openloop.options import OPTIONS, LoadSettings
from results.errors import BlockpointError

ALL_ATTEMPTS = 10
"""The most that `fail_first` can ask for: more attempts than any strategy makes."""
CLOSED_EARLY = "closed early"
"""Error text of a request whose answer its client did not wait for, as `--close-early-every` asked."""


def poisoned(arrivals: np.ndarray, every: int) -> np.ndarray:
    """Return for each task arrival number, bool, whether it is the last of its `every` arrivals."""
    return np.asarray(arrivals % every == every - 1)


def hung_up(arrivals: np.ndarray, every: int) -> np.ndarray:
    """Return for each task arrival number, bool, whether it is the first of its `every`; 0: none is."""
    return np.asarray(arrivals % every == 0) if every else np.zeros(len(arrivals), bool)


def check_poison(settings: LoadSettings) -> None:
    """Raise BlockpointError for options that say something about poison without any."""
    for name, poisons in (("poison_every", ("raise", "kill")), ("poison_kills", ("kill",))):
        option = OPTIONS[name]
        if getattr(settings, name) != option.default and settings.poison not in poisons:
            wanted = " or ".join(f"--poison {poison}" for poison in poisons)
            raise BlockpointError(f"{option.flag}: says nothing without {wanted}")


def poison_fields(settings: LoadSettings) -> dict[str, Any]:
    """Return the fields of a poisoned task's JSON body that differ from those of another one."""
    if settings.poison == "kill":
        return {"fail_first": 0, "kill_first": settings.poison_kills}
    return {"fail_first": ALL_ATTEMPTS}
