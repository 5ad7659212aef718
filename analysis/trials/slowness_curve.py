"""At which rate the share of slow requests crosses 1 %, and how surely: a curve through all rates near by."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from analysis.trials.slowness import SLOW_SHARE, Spells, dispersion, pool

Floats = npt.NDArray[np.float64]

NEAR: Final = 1.5
"""factor about the crossing within which the curve is taken to have one shape"""
_MARGIN: Final = 1.2
"""factor beyond the rates that were seen within which a crossing is looked for"""
BEYOND: Final = 5.41
"""twice the logarithm of a likelihood ratio that chance exceeds in 2 % of cases: 1 % for each bound"""
_STEEPNESS: Final = np.concatenate([[0.0], np.geomspace(0.5, 300, 40)])
"""powers of the rate: 0 is a share that does not depend on it"""
_PLACES: Final = 320
_LARGEST: Final = 30.0
"""logarithm"""


@dataclass(frozen=True)
class Crossing:
    """Where a stream begins to be slow, as far as that is known: bounds are 0 and infinite where not."""

    low: float
    likely: float
    high: float


UNKNOWN: Final = Crossing(0.0, math.nan, math.inf)


def crossing(by_rate: Mapping[float, Spells]) -> Crossing:
    """Return where a stream's share of slow requests crosses 1 %.

    Asked of dose and response, this is the benchmark dose (Crump, *A new method for determining allowable
    daily intakes*, Fundamental and Applied Toxicology 4, 1984): the share is taken to be 1 - exp(-b rate^k),
    a straight line in the logarithms where it is small, and the bounds are those of the profile likelihood
    over all b and k >= 0. As slow requests come in spells, the likelihood is a quasi-likelihood
    (Wedderburn 1974): each rate's counts weigh as much as so many spells, and not as so many requests.
    Steepness that the evidence leaves open widens the bounds; k = 0 is among what they allow for.
    """
    if not any(each.spells for each in by_rate.values()):
        return UNKNOWN
    about = _fitted(by_rate).likely
    near = {rate: each for rate, each in by_rate.items() if about / NEAR <= rate <= about * NEAR}
    return _fitted(near or by_rate)


def _fitted(by_rate: Mapping[float, Spells]) -> Crossing:
    rates = sorted(by_rate)
    spells = [by_rate[rate] for rate in rates]
    places = np.geomspace(rates[0] / _MARGIN, rates[-1] * _MARGIN, _PLACES)
    by_spells = _profile(places, rates, spells, [each.slow for each in spells])
    by_own = _profile(places, rates, spells, [sum(each.own) for each in spells])
    return Crossing(_low(places, by_spells), float(places[by_spells.argmax()]), _high(places, by_own))


def _profile(places: Floats, rates: Sequence[float], spells: Sequence[Spells], slow: Sequence[int]) -> Floats:
    """Return the greatest logarithm of a likelihood that any steepness gives each place of the crossing."""
    below = (pool(spells[: place + 1]) for place in range(len(spells)))
    weights = [1 / dispersion(*pair) for pair in zip(below, spells, strict=True)]
    fast = [each.requests - count for each, count in zip(spells, slow, strict=True)]
    ratios = np.log(np.array(rates)[None, :] / places[:, None])
    powers = np.clip(_STEEPNESS[:, None, None] * ratios[None], -_LARGEST, _LARGEST)
    hazard = -math.log(1 - SLOW_SHARE) * np.exp(powers)
    told = np.array(slow) * np.log(-np.expm1(-hazard)) - np.array(fast) * hazard
    return np.asarray((told @ np.array(weights)).max(axis=0), float)


def _low(places: Floats, profile: Floats) -> float:
    """Return the lower bound: 0 where even the lowest place is possible."""
    first = int(np.argmax(_possible(profile)))
    return float(places[first - 1]) if first else 0.0


def _high(places: Floats, profile: Floats) -> float:
    last = len(places) - 1 - int(np.argmax(_possible(profile)[::-1]))
    return float(places[last + 1]) if last + 1 < len(places) else math.inf


def _possible(profile: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray(2 * (profile.max() - profile) <= BEYOND)
