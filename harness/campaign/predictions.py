"""What is known of strategies before they run: declarations, cores and ceilings."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import click

from analysis.queueing import saturation_rate
from harness.campaign.profiles import EVERY, EVERY_VARIANT, USUAL_WAYS
from harness.target import brokers
from harness.target.cores import Pinning
from harness.target.declarations import subject as subject_of
from harness.target.own import TaskWish, look_for
from harness.target.placement import BY_RULE, Placement
from harness.target.uv import NoEnvironmentError
from harness.target.versions import Pinned
from results.errors import BlockpointError
from results.lasting import EQUALLY, Lasting
from results.schema import Subject
from results.traffic import USUAL, Traffic
from targets.registry import find, from_elsewhere, installed
from targets.settings import Settings


def split_key(key: str) -> tuple[str, str]:
    """Split `strategy/variant`; the variant is `default` where none is named."""
    strategy, _, variant = key.partition("/")
    return strategy, variant or "default"


@cache
def subject_on(key: str, base: Settings, pinning: Pinning) -> tuple[Subject, Settings]:
    """Return a strategy's declaration under a pinning, and the settings it runs with, its cores among them.

    Raises BlockpointError for an unknown strategy or variant.
    """
    strategy, variant = split_key(key)
    cores = pinning.cores("worker" if subject_of(strategy, variant, base).workers else "web")
    settings = replace(base, cores=len(cores)) if cores else base
    return subject_of(strategy, variant, settings), settings


def settings_on(key: str, base: Settings, pinning: Pinning) -> Settings:
    """Return the settings with which a strategy runs under a pinning; raises like `subject_on`."""
    return subject_on(key, base, pinning)[1]


def predicted_per_s(
    key: str,
    base: Settings,
    kind: str,
    duration_ms: float,
    topology: str,
    *,
    placement: Placement = BY_RULE,
    lasting: Lasting = EQUALLY,
) -> float | None:
    """Return the rate at which theory sees a subject saturate; None where it knows no limit."""
    subject, settings = subject_on(key, base, placement.pinning(topology))
    return saturation_rate(subject.services[kind], kind, duration_ms, settings.cores, lasting)


def predicted_blocking_per_s(
    key: str,
    base: Settings,
    kind: str,
    duration_ms: float,
    topology: str,
    *,
    placement: Placement,
    limit_ms: float,
    seconds: float,
    bystander_per_s: float,
    traffic: Traffic = USUAL,
) -> float | None:
    """Return the rate at which theory sees a subject block the API in trials of that length.

    0 where it blocks at any rate, infinite where at none; None where no law is known.
    """
    from analysis.queueing.blocking import blocking_rate

    subject, settings = subject_on(key, base, placement.pinning(topology))
    return blocking_rate(
        subject.services[kind],
        kind,
        duration_ms,
        settings.cores,
        apart=subject.workers > 0,
        limit_ms=limit_ms,
        seconds=seconds,
        bystander_per_s=bystander_per_s,
        traffic=traffic,
    )


def keys(rule: Sequence[str]) -> list[str]:
    """Return the subjects that a profile's rule stands for, in its order.

    One of another package that cannot be used is left out, with a line on standard error. Raises
    BlockpointError where one of ours cannot.
    """
    found: dict[str, None] = {}
    for item in rule:
        every = item in (USUAL_WAYS, EVERY, EVERY_VARIANT)
        found |= dict.fromkeys(registered(item) if every else [item])
    return list(found)


def registered(rule: str) -> Iterator[str]:
    """Yield the subjects that are installed and sound and that the rule takes. Raises like `keys`."""
    for name, definition in installed():
        if isinstance(definition, BlockpointError):
            _leave_out(name, definition)
            continue
        if rule == USUAL_WAYS and not definition.usual:
            continue
        for variant, entry in definition.variants.items():
            if entry.by_name_only and rule != EVERY_VARIANT:
                continue
            try:
                subject_of(name, variant, Settings())
            except NoEnvironmentError:
                yield f"{name}/{variant}"
            except BlockpointError as error:
                _leave_out(name, error)
            else:
                yield f"{name}/{variant}"


def _leave_out(name: str, error: BlockpointError) -> None:
    if not from_elsewhere(name):
        raise error
    click.echo(f"warning: left out: {error}", err=True)


def select(rule: Sequence[str], strategies: Sequence[str], variants: Sequence[str]) -> list[str]:
    """Return the subjects that a command names: those of a profile's rule, narrowed, or asked for by name.

    Raises BlockpointError for unknown names, offering the nearest.
    """
    if not strategies:
        chosen = [key for key in keys(rule) if not variants or split_key(key)[1] in variants]
        if not chosen:
            raise BlockpointError(f"no strategy of this profile has the variant {', '.join(variants)!r}")
        return chosen
    chosen = []
    for name in strategies:
        strategy, _, given = name.partition("/")
        definition = find(Pinned.parse(strategy).strategy)
        wanted = [given] if given else list(variants) or list(definition.variants)
        for variant in wanted:
            definition.variant(variant)
            with contextlib.suppress(NoEnvironmentError):
                subject_of(strategy, variant, Settings())
            chosen.append(f"{strategy}/{variant}")
    return list(dict.fromkeys(chosen))


def in_versions(keys: Sequence[str], pins: Sequence[str]) -> list[str]:
    """Return subjects whose environments are to have these versions, too: `celery@kombu=5.6.2/tuned`."""
    if not pins:
        return list(keys)
    asked = ",".join(pins)
    split = [split_key(key) for key in keys]
    return [f"{name}{',' if '@' in name else '@'}{asked}/{variant}" for name, variant in split]


def usable(keys: Sequence[str], task: TaskWish | None = None) -> tuple[list[str], dict[str, str]]:
    """Return the subjects that can run here, and why the others cannot, said in a line each.

    `task`: the user's own, which is to be importable beside each. Raises BlockpointError where none is left,
    and for what is wrong with a strategy or the task itself.
    """
    found, left_out = [], {}
    for key in keys:
        strategy, variant = split_key(key)
        try:
            subject_of(strategy, variant, Settings())
            brokers.look(find(Pinned.parse(strategy).strategy).broker)
            if task:
                look_for(task, strategy)
        except NoEnvironmentError as error:
            left_out[key] = str(error)
        else:
            found.append(key)
    reasons = dict.fromkeys(left_out.values())
    if not found and reasons:
        raise BlockpointError("; ".join(reasons))
    for reason in reasons:
        click.echo(f"warning: left out: {reason}", err=True)
    return found, left_out
