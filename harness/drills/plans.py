"""Orders the drills of a campaign."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from harness.campaign.grid import numbered
from harness.campaign.predictions import split_key, subject_on
from harness.drills.catalogue import KIND, Drill
from harness.drills.trial import DrillProcedure
from harness.target.cores import Pinning
from results.schema import Plan
from results.terms import REQUEST
from targets.settings import Settings

BYSTANDER_PER_S = 40.0
UNHEEDED_PER_S = 1.0
"""where drills run beside each other: what bystanders feel then says nothing"""


def planned_drills(
    drills: Sequence[Drill],
    keys: Sequence[str],
    settings: Settings,
    pinning: Pinning,
    *,
    repeats: int,
    spread: bool,
    seed: int,
    jobs: int,
) -> list[Plan]:
    """Return the drills in the order in which they run: each with every subject that it concerns.

    `spread`: a strategy's variants share the repeats of each drill that concerns them. All subjects meet the
    same seeds. A few repeats of all of a subject's drills follow each other in random order, those together
    that share a target; then comes another subject, at random too.
    """
    shuffle = random.Random(seed).shuffle
    concerned = {
        key: [drill for drill in drills if drill.concerns(subject_on(key, settings, pinning)[0])]
        for key in keys
    }
    sharing = Counter((drill.name, _strategy(key)) for key in keys for drill in concerned[key])

    def share(drill: Drill, key: str) -> int:
        return math.ceil(repeats / sharing[drill.name, _strategy(key)]) if spread else repeats

    ordered: list[Plan] = []
    for first in range(0, repeats, DrillProcedure.repeats_together):
        subjects = list(keys)
        shuffle(subjects)
        for key in subjects:
            block = [
                (drill, repeat)
                for drill in concerned[key]
                for repeat in range(first, min(first + DrillProcedure.repeats_together, share(drill, key)))
            ]
            shuffle(block)
            block.sort(key=lambda item: (item[0].appendonly, sorted(item[0].settings.items())))
            ordered += [_plan(drill, key, repeat, seed, alone=jobs == 1) for drill, repeat in block]
    return [numbered(plan, number) for number, plan in enumerate(ordered, start=1)]


def planned_for_service(
    drills: Sequence[Drill], key: str, *, repeats: int, seed: int, jobs: int, bystander_per_s: float | None
) -> list[Plan]:
    """Return the drills of a service in the order in which they run: each once, at random, then again."""
    shuffle = random.Random(seed).shuffle
    ordered: list[Plan] = []
    for repeat in range(repeats):
        block = list(drills)
        shuffle(block)
        ordered += [_plan(drill, key, repeat, seed, alone=jobs == 1) for drill in block]
    own: dict[str, Any] = {"kind": REQUEST.name}
    if bystander_per_s:
        own["bystander_per_s"] = bystander_per_s
    return [
        numbered(msgspec.structs.replace(plan, **own), number) for number, plan in enumerate(ordered, start=1)
    ]


def _strategy(key: str) -> str:
    return split_key(key)[0]


def _plan(drill: Drill, key: str, repeat: int, seed: int, *, alone: bool) -> Plan:
    return Plan(
        trial_id="",
        subject=key,
        kind=KIND,
        duration_ms=drill.duration_ms,
        scenario="steady",
        rate_per_s=drill.rate_per_s,
        seconds=drill.seconds,
        seed=seed + repeat,
        repeat=repeat,
        bystander_per_s=BYSTANDER_PER_S if alone else UNHEEDED_PER_S,
        options=list(drill.options),
        drill=drill.name,
    )
