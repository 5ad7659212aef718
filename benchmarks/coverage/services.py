"""How long tasks hold their slot, in seconds."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Law = Literal["fixed", "exponential", "lognormal"]

VARIATION: Final = 2.0
"""`lognormal`: standard deviation over mean"""


def services(random: np.random.Generator, law: Law, mean_s: float, count: int) -> Floats:
    """Return independent service times with that mean."""
    if law == "fixed":
        return np.full(count, mean_s)
    if law == "exponential":
        return random.exponential(mean_s, count)
    variance = np.log1p(VARIATION**2)
    return random.lognormal(np.log(mean_s) - variance / 2, np.sqrt(variance), count)
