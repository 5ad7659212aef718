"""Steady-state waits of queues with Poisson arrivals: M/M/c (Erlang C) and M/D/c (Franx).

Rates are per second, times in seconds; c servers, the offered load a = rate x S in Erlang, utilisation
rho = a / c. At rho >= 1 no steady state exists and waits are infinite. A trial of seconds is no steady state
either where rho is near 1; `trace` follows that.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NEGLIGIBLE = 1e-12


def erlang_c(servers: int, offered: float) -> float:
    """Return the probability that an arrival must wait in M/M/c; 1 at rho >= 1.

    By the recursion of Erlang B, B(k) = a B(k-1) / (k + a B(k-1)), and C = B / (1 - rho (1 - B)) (e.g.
    Gross et al., *Fundamentals of Queueing Theory*, 4th ed. 2008, section 2.5).
    """
    rho = offered / servers
    if rho >= 1:
        return 1.0
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked / (1 - rho * (1 - blocked))


def mmc_wait(rate_per_s: float, service_s: float, servers: int, p: float) -> float:
    """Return the p-th percentile of the wait in M/M/c, where P(wait > t) = C exp(-(c / S - rate) t)."""
    spare = servers / service_s - rate_per_s
    if spare <= 0:
        return math.inf
    waits = erlang_c(servers, rate_per_s * service_s)
    return max(0.0, math.log(waits / (1 - p / 100)) / spare) if waits else 0.0


def mdc_wait_below(wait_s: float, rate_per_s: float, service_s: float, servers: int) -> float:
    """Return P(wait <= t) in M/D/c by Franx's formula; 0 at rho >= 1.

    With k = floor(t / S) + 1 and u = rate (k S - t), P = sum over j < k c of Q(k c - 1 - j) e^-u u^j / j!,
    where Q(m) is the probability of at most m tasks *in the queue* (G. J. Franx, *A simple solution for the
    M/D/c waiting time distribution*, Operations Research Letters 29, 2001). All terms are positive, unlike
    those of Crommelin's formula (1932) for the same, which cancel each other near rho = 1.
    """
    offered = rate_per_s * service_s
    if wait_s < 0 or offered >= servers:
        return 0.0
    if offered <= 0:
        return 1.0
    k = math.floor(wait_s / service_s) + 1
    mean = rate_per_s * (k * service_s - wait_s)
    terms = min(k * servers, int(mean + 12 * math.sqrt(mean) + 30))
    return float(_poisson(mean, terms) @ _queue_below(servers, offered, k * servers - 1 - np.arange(terms)))


def mdc_wait(rate_per_s: float, service_s: float, servers: int, p: float) -> float:
    """Return the p-th percentile of the wait in M/D/c: bisection on `mdc_wait_below`, to a millionth of S."""
    if rate_per_s * service_s >= servers:
        return math.inf
    share = p / 100
    if mdc_wait_below(0.0, rate_per_s, service_s, servers) >= share:
        return 0.0
    low, high = 0.0, service_s / servers
    while mdc_wait_below(high, rate_per_s, service_s, servers) < share:
        low, high = high, 2 * high
    while high - low > 1e-6 * service_s:
        middle = (low + high) / 2
        below = mdc_wait_below(middle, rate_per_s, service_s, servers) < share
        low, high = (middle, high) if below else (low, middle)
    return high


def _queue_below(servers: int, offered: float, m: npt.NDArray[np.int64]) -> Floats:
    """Return P(at most m tasks in the queue) for each m >= 0."""
    present, ratio = _in_system(servers, offered)
    last = len(present) - 1
    within = np.cumsum(present)[np.minimum(m + servers, last)]
    beyond = np.maximum(m + servers - last, 0)
    below: Floats = within + present[-1] * ratio * (1 - ratio**beyond) / (1 - ratio)
    return below


@lru_cache(maxsize=256)
def _in_system(servers: int, offered: float) -> tuple[Floats, float]:
    """Return P(n tasks present) for n = 0 ... N, and the ratio of the geometric tail beyond N.

    Who is present a service time later are the arrivals since, and whoever was not in service (Crommelin):
    p(j) = P(Poisson(a) = j) sum_{k <= c} p(k) + sum_{k > c} p(k) P(Poisson(a) = j - k + c). The equations
    are closed by the tail p(n + 1) / p(n) -> 1 / tau, with tau > 1 the root of tau^c e^(a (1 - tau)) = 1
    (Tijms, *A First Course in Stochastic Models*, 2003, section 9.6.2), which holds long before N.
    """
    ratio = 1 / _tail(servers, offered)
    size = servers + max(100, 2 * servers)
    came = _poisson(offered, size + 1)
    step = np.zeros((size + 1, size + 1))
    step[:, : servers + 1] = came[:, None]
    for k in range(servers + 1, size + 1):
        step[k - servers :, k] = came[: size + 1 - k + servers]
    for i in range(1, servers + 1):
        step[size + i - servers :, size] += ratio**i * came[: servers + 1 - i]
    balance = step - np.eye(size + 1)
    balance[0] = 1.0
    balance[0, size] = 1 / (1 - ratio)
    wanted = np.zeros(size + 1)
    wanted[0] = 1.0
    return np.maximum(np.linalg.solve(balance, wanted), 0.0), ratio


def _tail(servers: int, offered: float) -> float:
    """Return the root above 1 of c ln(tau) = a (tau - 1), by bisection."""

    def beyond(tau: float) -> bool:
        return servers * math.log(tau) < offered * (tau - 1)

    low = high = servers / offered
    while not beyond(high):
        high *= 2
    while high / low > 1 + _NEGLIGIBLE:
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return high


def _poisson(mean: float, terms: int) -> Floats:
    """Return P(Poisson(mean) = j) for j < terms, in logarithms so that nothing overflows."""
    j = np.arange(terms)
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, terms)))])
    probabilities: Floats = np.exp(j * math.log(max(mean, _NEGLIGIBLE)) - mean - factorial)
    return probabilities
