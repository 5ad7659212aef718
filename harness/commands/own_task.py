"""Has a command measure the user's task: timed first, it becomes the kind and the duration to be searched."""

import dataclasses
from typing import TypeVar

import click

from harness.campaign.conditions import Selection
from harness.campaign.own_task import time_task
from harness.campaign.own_words import lines
from harness.campaign.profiles import PROFILES
from results.errors import BlockpointError
from results.terms import KINDS

S = TypeVar("S", bound=Selection)


def with_own_task(request: S) -> S:
    """Return the request with the task that was asked for, timed, if any was.

    A campaign that is gone on with has its own timing. Raises BlockpointError where the task cannot be
    called.
    """
    if needing := [kind for kind in request.kinds if KINDS[kind].own]:
        raise BlockpointError(f"--kind {needing[0]} is a task of your own: name it with --task instead")
    if request.task is None or request.resume:
        return request
    profile = PROFILES.get(request.profile)
    if profile and profile.registrations:
        raise BlockpointError(f"--profile {profile.name} has tasks of its own: leave --task away")
    cores = request.placement.pinning("one-box").cores("web")
    strategies = tuple(f"{name.partition('/')[0]}" for name in request.strategies)
    own = time_task(request.task, request.seed, strategies, request.slots, cores)
    for line in lines(own):
        click.echo(line, err=request.as_json)
    return dataclasses.replace(request, kinds=(own.kind,), durations_ms=(own.duration_ms,), own=own)
