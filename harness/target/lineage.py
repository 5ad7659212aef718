"""A process and all that descend from it."""

from typing import Final

import psutil

DEAD: Final = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def tree(pid: int) -> list[int]:
    """Return a process and all below it that live."""
    return [pid, *(process.pid for process in lineage(pid)[1:] if alive(process))]


def lineage(pid: int) -> list[psutil.Process]:
    """Return a process and all below it, living or not; none where it is gone."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def alive(process: psutil.Process) -> bool:
    """Say whether this very process lives; another one of its number does not count."""
    try:
        return process.is_running() and process.status() not in DEAD
    except psutil.Error:
        return False


def lives(pid: int) -> bool:
    """Say whether a process of that number lives."""
    try:
        return alive(psutil.Process(pid))
    except psutil.Error:
        return False
