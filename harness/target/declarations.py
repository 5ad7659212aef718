"""What strategies declare, asked in the environment in which they run."""

import subprocess
from functools import cache

import msgspec

from harness.target.environments import OWN, Environment, environment_of
from harness.target.versions import Pinned
from results.errors import BlockpointError
from results.inheritance import inherited
from results.schema import Subject
from targets.describe import Declared, Question, declare
from targets.registry import find
from targets.settings import Settings


def subject(name: str, variant: str, settings: Settings) -> Subject:
    """Return what a strategy declares of itself; raises BlockpointError where it cannot be used."""
    found = declared(name, variant, settings).subject
    assert found is not None
    return found


def declared(name: str, variant: str, settings: Settings) -> Declared:
    """Return the same with the commands of its workers."""
    environment = environment_of(name)
    strategy = Pinned.parse(name).strategy
    if environment == OWN:
        return declare(strategy, variant, settings)
    find(strategy).variant(variant)
    answer = _answers(environment, strategy, settings)[variant]
    if answer.subject is None:
        raise BlockpointError(answer.problem)
    told = msgspec.structs.replace(answer.subject, strategy=name, versions=answer.versions)
    return msgspec.structs.replace(answer, subject=told)


@cache
def _answers(environment: Environment, strategy: str, settings: Settings) -> dict[str, Declared]:
    """Return what all variants declare, asked in one process."""
    variants = list(find(strategy).variants)
    asked = [Question(strategy, variant, settings.to_environment()) for variant in variants]
    done = subprocess.run(
        [environment.python, "-m", "targets.describe"],
        input=msgspec.json.encode(asked),
        env=inherited(),
        cwd="/",
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise BlockpointError(f"strategy {strategy} cannot be described in its environment: {said[-1]}")
    answers = msgspec.json.decode(done.stdout, type=list[Declared])
    return dict(zip(variants, answers, strict=True))
