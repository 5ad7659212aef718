import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np
import psutil
import pytest

from harness.target.cores import available_cores
from harness.trial import noise as noises
from harness.trial.noise import (
    LOOK_S,
    AmbientNoise,
    Hiccups,
    ambient_noise,
    await_quiet,
    during,
    excuses,
    reasons_for_noise,
)
from results.findings import Noise
from results.tables import Columns

QUIET = AmbientNoise(0.01, 0.0, [Hiccups(0, 0.2, 0.9), Hiccups(1, 0.3, 5.0)])


@pytest.fixture
def busy() -> Iterator[int]:
    """Keep one core busy; yields the process's id."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield process.pid
        process.kill()


def resources(**cores: list[float]) -> Columns:
    """Return the CPU use of roles, sampled at 1, 2, ... ns."""
    rows = [(at, role, used) for role, values in cores.items() for at, used in enumerate(values, 1)]
    at_ns, role, used = zip(*rows, strict=True)
    return {"at_ns": np.array(at_ns), "role": np.array(role, object), "cpu_cores": np.array(used)}


@pytest.mark.parametrize(
    ("seen", "is_quiet"),
    [
        (QUIET, True),
        (replace(QUIET, foreign_cores=0.2), False),
        (replace(QUIET, steal_cores=0.2), False),
        (replace(QUIET, foreign_cores=0.07, steal_cores=0.07), False),
        (replace(QUIET, hiccups=[Hiccups(0, 0.2, 0.9), Hiccups(1, 1.5, 2.0)]), False),
    ],
)
def test_what_is_quiet(seen: AmbientNoise, is_quiet: bool) -> None:
    assert seen.quiet(0.1) is is_quiet


def test_our_own_idle_processes_are_not_foreign(busy: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that runs nothing but the busy process and this one."""
    programs = [psutil.Process(busy), psutil.Process()]
    used_s = lambda: sum(sum(each.cpu_times()[:2]) for each in programs)  # noqa: E731
    monkeypatch.setattr(noises, "machine_s", lambda: (used_s(), 0.0))
    foreign = ambient_noise(available_cores(), seconds=0.5).foreign_cores
    left = ambient_noise(available_cores(), ours=[busy], seconds=0.5).foreign_cores
    assert left < foreign / 2


def test_every_core_in_use_has_its_hiccups_measured_and_we_stay_where_we_were() -> None:
    before = os.sched_getaffinity(0) if available_cores() else None
    seen = ambient_noise(available_cores(), seconds=0.1)
    assert [hiccups.core for hiccups in seen.hiccups] == list(available_cores() or [None])
    assert all(0 < hiccups.p99_ms <= hiccups.max_ms for hiccups in seen.hiccups)
    assert before is None or os.sched_getaffinity(0) == before


def test_a_thread_that_is_given_no_time_to_look_in_has_been_late() -> None:
    (hiccups,) = ambient_noise([], seconds=0).hiccups
    assert hiccups.p99_ms > 0


def test_without_pinning_one_thread_stands_for_all_cores() -> None:
    (hiccups,) = ambient_noise([], seconds=0.05).hiccups
    assert hiccups.core is None


@pytest.mark.parametrize(
    ("noisy_looks", "longest_s", "looks", "ends_quiet"),
    [(0, 3.0, 1, True), (2, 3.0, 3, True), (99, 3.0, 10, False), (99, 0.1, 1, False), (0, 0.0, 0, None)],
)
def test_the_wait_is_as_long_as_the_noise_and_bounded(
    monkeypatch: pytest.MonkeyPatch, noisy_looks: int, longest_s: float, looks: int, ends_quiet: bool | None
) -> None:
    now_s, seen = [0.0], []

    def looked(*_: object) -> AmbientNoise:
        now_s[0] += LOOK_S
        seen.append(replace(QUIET, foreign_cores=0.5 if len(seen) < noisy_looks else 0.0))
        return seen[-1]

    monkeypatch.setattr(noises, "ambient_noise", looked)
    monkeypatch.setattr(noises.time, "monotonic", lambda: now_s[0])
    noise = await_quiet([0, 1], [], 0.1, longest_s)
    assert (len(seen), noise.quiet) == (looks, ends_quiet)
    assert noise.waited_s == pytest.approx(looks * LOOK_S)
    assert (noise.hiccup_p99_ms, noise.hiccup_max_ms) == ((0.3, 5.0) if looks else (None, None))


def test_the_noise_of_a_load_is_that_of_its_measured_part() -> None:
    rows = resources(other=[9.0, 0.2, 0.4, 9.0], steal=[9.0, 0.0, 0.1, 9.0])
    noise = during(Noise(quiet=True, waited_s=0.3), rows, 1, 3)
    assert (noise.quiet, noise.waited_s) == (True, 0.3)
    assert (noise.foreign_cores, noise.steal_cores) == (pytest.approx(0.3), pytest.approx(0.05))
    assert during(Noise(), resources(other=[-0.02], steal=[0.0]), 0, 1).foreign_cores == 0


def test_noise_that_nobody_saw_refuses_the_trial_and_can_be_read_again() -> None:
    noise = during(Noise(), resources(web=[1.0]), 0, 5)
    assert [reason.split(":")[0] for reason in reasons_for_noise(noise, 0.1)] == ["noise"]
    assert msgspec.json.decode(msgspec.json.encode(noise), type=Noise) == noise


def test_reasons_and_excuses() -> None:
    loud = Noise(quiet=False, waited_s=3.0, hiccup_max_ms=12.0, foreign_cores=0.4, steal_cores=0.2)
    assert reasons_for_noise(loud, 0.1) == ["noise: other programs used 0.40 cores, limit 0.1"]
    assert reasons_for_noise(loud, 0.5) == []
    assert [excuse.split(":")[0] for excuse in excuses(loud)] == ["steal", "restless"]
    assert excuses(Noise(foreign_cores=0.0, steal_cores=0.0)) == []
