"""When requests are due, in seconds from the start."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Arrivals = Literal["conditioned", "poisson", "onoff"]

ON_S: Final = 0.5
"""`onoff`: mean length of a stretch at twice the rate, and of the silence after it"""


def arrivals(
    random: np.random.Generator, how: Arrivals, rate_per_s: float, seconds: float, warm_up_s: float = 0.0
) -> Floats:
    """Return ascending due times.

    `conditioned`: as many as expected within the warm-up and after it, spread evenly by chance. `poisson`: a
    free process. `onoff`: one at twice the rate, with silences; both last exponentially long.
    """
    if how == "conditioned":
        early = round(rate_per_s * warm_up_s)
        late = round(rate_per_s * seconds) - early
        parts = (random.uniform(0, warm_up_s, early), random.uniform(warm_up_s, seconds, late))
        return np.sort(np.concatenate(parts))
    factor = 2 if how == "onoff" else 1
    due = np.sort(random.uniform(0, seconds, random.poisson(factor * rate_per_s * seconds)))
    return due[_on(random, due, seconds)] if how == "onoff" else due


def _on(random: np.random.Generator, due: Floats, seconds: float) -> npt.NDArray[np.bool_]:
    stretches = random.exponential(ON_S, int(seconds / ON_S * 1.5) + 100)
    passed = np.searchsorted(np.cumsum(stretches), due)
    return np.asarray(passed % 2 == random.integers(2))
