import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from harness.trial.sampler import Role

SHORT_LIVED = """
import os, resource, subprocess, sys
sys.stdin.readline()
busy = "import time\\nwhile time.process_time() < 0.1: pass"
for _ in range(4):
    subprocess.run([sys.executable, "-c", busy])
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(use.ru_utime + use.ru_stime for use in used), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent() -> Iterator["subprocess.Popen[str]"]:
    """Start a process whose children come and go once it is told to begin."""
    with subprocess.Popen(
        [sys.executable, "-c", SHORT_LIVED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def tell(parent: "subprocess.Popen[str]") -> None:
    """Let it begin."""
    assert parent.stdin is not None
    print("go", file=parent.stdin, flush=True)


def spent(parent: "subprocess.Popen[str]") -> float:
    """Wait for its end; returns the CPU seconds that it and its children have used."""
    assert parent.stdout is not None
    return float(parent.stdout.readline())


def work(parent: "subprocess.Popen[str]") -> float:
    tell(parent)
    return spent(parent)


def test_the_work_of_children_that_came_and_went_is_their_roles(parent: "subprocess.Popen[str]") -> None:
    role = Role([parent.pid])
    role.look()
    role.sample()
    spent_s = work(parent)
    _, used_s, _ = role.sample()
    assert 0.4 < used_s <= spent_s + 0.05
    assert role.sample()[1] < 0.05


def test_a_child_found_late_counts_from_its_birth_and_once(parent: "subprocess.Popen[str]") -> None:
    role = Role([parent.pid])
    role.look()
    role.sample()
    tell(parent)
    total_s = 0.0
    for _ in range(3):
        role.look()
        total_s += role.sample()[1]
    spent_s = spent(parent)
    total_s += role.sample()[1]
    assert 0.4 < total_s <= spent_s + 0.05


@pytest.mark.usefixtures("parent")
def test_the_harness_is_not_charged_for_the_roles_that_it_started() -> None:
    alone, family = Role([os.getpid()], alone=True), Role([os.getpid()])
    for role in (alone, family):
        role.look()
    assert alone.sample()[0] == 1
    assert family.sample()[0] >= 2


def test_a_role_that_ends_does_not_give_time_back(parent: "subprocess.Popen[str]") -> None:
    role = Role([parent.pid])
    role.look()
    role.sample()
    work(parent)
    parent.kill()
    parent.wait()
    assert role.sample() == (0, 0.0, 0)
