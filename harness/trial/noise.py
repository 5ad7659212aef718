"""What others take from a trial: waited out before its load, measured during it, and whether it may count.

Before the load nothing of ours runs but idle processes, so that what is seen is others': the CPU time that
went to them, on this machine or on its host, and the hiccups of threads that only sleep, one on each core
that the trial will use. During the load such a thread would disturb the target and be disturbed by it;
there the generator's own lateness takes its place.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from harness.trial.resources import mean_cores
from harness.trial.sampler import OTHER, STEAL, Role, machine_s
from results.findings import Noise
from results.percentile import percentile
from results.tables import Columns

LOOK_S = 0.3
"""long enough for the machine's CPU clock, which ticks every 10 ms"""
NAP_S = 0.001
UNHURRIED_CORES = 8
"""with more of them each thread naps longer, lest they hold up one another"""
MAX_HICCUP_P99_MS = 1.0
"""a generator that is later than that has its trials refused"""
NOTABLE_STEAL_CORES = 0.005


@dataclass(frozen=True)
class Hiccups:
    """How late a thread woke up that slept for a millisecond at a time."""

    core: int | None
    """None where the platform cannot pin"""
    p99_ms: float
    max_ms: float


@dataclass(frozen=True)
class AmbientNoise:
    """What others did on the machine during a short while; mean numbers of cores."""

    foreign_cores: float
    """used by other programs"""
    steal_cores: float
    """given by the hypervisor to other machines"""
    hiccups: Sequence[Hiccups]

    def quiet(self, max_foreign_cores: float) -> bool:
        """Say whether a load may start."""
        taken = self.foreign_cores + self.steal_cores
        return taken < max_foreign_cores and all(h.p99_ms < MAX_HICCUP_P99_MS for h in self.hiccups)


def ambient_noise(cores: Sequence[int], ours: Sequence[int] = (), seconds: float = LOOK_S) -> AmbientNoise:
    """Watch the machine for a while; `ours` are our idle processes, which with this one do not count."""
    roles = [Role(list(ours)), Role([os.getpid()], alone=True)]
    for role in roles:
        role.look()
        role.sample()
    since_s, (busy_s, steal_s) = time.monotonic(), machine_s()
    hiccups = _doze(cores or [None], seconds)
    elapsed_s, (busy_then_s, steal_then_s) = time.monotonic() - since_s, machine_s()
    own_s = sum(role.sample()[1] for role in roles)
    return AmbientNoise(
        foreign_cores=max(busy_then_s - busy_s - own_s, 0.0) / elapsed_s,
        steal_cores=(steal_then_s - steal_s) / elapsed_s,
        hiccups=hiccups,
    )


def await_quiet(
    cores: Sequence[int],
    ours: Sequence[int],
    max_foreign_cores: float,
    longest_s: float,
    tick: Callable[[], None] = lambda: None,
) -> Noise:
    """Look until it is quiet, `longest_s` at most (0: not at all); returns what the last look saw."""
    since_s = time.monotonic()
    if longest_s <= 0:
        return Noise()
    while True:
        seen = ambient_noise(cores, ours)
        waited_s = time.monotonic() - since_s
        quiet = seen.quiet(max_foreign_cores)
        if quiet or waited_s + LOOK_S > longest_s:
            return Noise(
                quiet=quiet,
                waited_s=waited_s,
                hiccup_p99_ms=max(hiccups.p99_ms for hiccups in seen.hiccups),
                hiccup_max_ms=max(hiccups.max_ms for hiccups in seen.hiccups),
            )
        tick()


def during(before: Noise, resources: Columns, from_ns: int, to_ns: int) -> Noise:
    """Return the noise with what was taken in the measured part of the load."""
    foreign, stolen = (mean_cores(resources, role, from_ns, to_ns) for role in (OTHER, STEAL))
    return msgspec.structs.replace(
        before,
        foreign_cores=None if math.isnan(foreign) else max(foreign, 0.0),
        steal_cores=None if math.isnan(stolen) else stolen,
    )


def reasons_for_noise(noise: Noise, max_foreign_cores: float) -> list[str]:
    """Return why the trial does not count; empty when others left it alone."""
    if noise.foreign_cores is None:
        return ["noise: nobody saw what other programs used: too short a trial, or no core free to look"]
    if noise.foreign_cores < max_foreign_cores:
        return []
    return [f"noise: other programs used {noise.foreign_cores:.2f} cores, limit {max_foreign_cores:g}"]


def reasons_for_company(company: Sequence[str], max_foreign_cores: float) -> list[str]:
    """Return why a trial does not count beside which others measured.

    None where others may use the whole machine: whoever allows that asks no latency of it.
    """
    if max_foreign_cores >= (os.cpu_count() or 1):
        return []
    return [f"noise: {other} measured on this machine meanwhile" for other in company]


def excuses(noise: Noise) -> list[str]:
    """Return what may have made the generator late through no fault of its own."""
    found = []
    if (stolen := noise.steal_cores or 0.0) > NOTABLE_STEAL_CORES:
        found.append(f"steal: meanwhile the hypervisor gave {stolen:.2f} cores to other machines")
    if noise.quiet is False:
        worst_ms = noise.hiccup_max_ms or 0.0
        found.append(
            f"restless: after {noise.waited_s:.1f} s still not quiet, hiccups up to {worst_ms:.1f} ms"
        )
    return found


def _doze(cores: Sequence[int | None], seconds: float) -> list[Hiccups]:
    """Let one thread a core do nothing but wake up; a nap's own length drifts past the clock's ticks."""
    nap_s = NAP_S * max(1.0, len(cores) / UNHURRIED_CORES)
    late_ms: list[list[float]] = [[0.0] for _ in cores]
    until_s = time.monotonic() + seconds

    def doze(core: int | None, late: list[float]) -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})
        awake_s = 0.0
        while awake_s < until_s:
            asleep_s = time.monotonic()
            time.sleep(nap_s)
            awake_s = time.monotonic()
            late.append((awake_s - asleep_s - nap_s) * 1e3)

    threads = [threading.Thread(target=doze, args=pair) for pair in zip(cores, late_ms, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [Hiccups(core, percentile(late, 99), max(late)) for core, late in zip(cores, late_ms, strict=True)]
