import os
import sys
from collections.abc import Iterator

import pytest

from harness.commands import doctor
from harness.commands.doctor import BAD, GOOD, NOTE, diagnose
from harness.target.cores import available_cores
from harness.trial.noise import AmbientNoise, Hiccups


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend to be a quiet machine of two cores."""
    monkeypatch.setattr(doctor, "available_cores", lambda: (0, 1))
    monkeypatch.setattr(os, "sched_setaffinity", lambda *_: None, raising=False)
    seen = AmbientNoise(0.0, 0.0, [Hiccups(0, 0.1, 0.2), Hiccups(1, 0.1, 0.2)])
    monkeypatch.setattr(doctor, "ambient_noise", lambda *_, **__: seen)
    yield
    available_cores.cache_clear()


@pytest.mark.usefixtures("cores")
def test_a_quiet_machine_needs_no_advice() -> None:
    findings = [doctor._cores(), *doctor._noise()]
    assert [finding.severity for finding in findings] == [GOOD] * 5
    assert not any(finding.advice for finding in findings)


@pytest.mark.usefixtures("cores")
def test_each_kind_of_noise_has_its_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    loud = AmbientNoise(0.5, 0.3, [Hiccups(0, 0.1, 0.2), Hiccups(1, 4.0, 9.0)])
    monkeypatch.setattr(doctor, "ambient_noise", lambda *_, **__: loud)
    foreign, steal, calm, late = doctor._noise()
    assert [finding.severity for finding in (foreign, steal, calm, late)] == [NOTE, NOTE, GOOD, NOTE]
    assert "stop other programs" in foreign.line()
    assert "host is busy" in steal.line()
    assert "core 1 wakes 4.00 ms late" in late.line()


@pytest.mark.usefixtures("cores")
def test_a_machine_that_forbids_pinning_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    assert (doctor._cores().severity, "pinning refused" in doctor._cores().what) == (BAD, True)


def test_a_platform_without_pinning_is_diagnosed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("sched_getaffinity", "sched_setaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(doctor, "LOOK_S", 0.1)
    available_cores.cache_clear()
    try:
        lines = [finding.line() for finding in diagnose(port=0)]
    finally:
        available_cores.cache_clear()
    assert any("no pinning on darwin" in line for line in lines)
    assert any("idle thread on any core" in line for line in lines)
