"""What a campaign may be called, and what of a foreign one is not gone on with."""

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from harness.campaign.create import LONGEST_NAME, NAME, create
from harness.campaign.environment import environment
from harness.campaign.grid import Planner
from harness.campaign.host import AGENT, ThisHost
from harness.campaign.profiles import PROFILES
from harness.campaign.reopen import reopen
from harness.drills.catalogue import DRILLS
from harness.search import trials
from harness.search.confirm import Step
from harness.search.profiles import SEARCHES, points
from harness.target.placement import BY_RULE
from harness.target.processes import Family
from harness.trial import generator
from results.errors import BlockpointError
from results.schema import Manifest, Plan
from results.store import create_campaign
from results.traffic import Traffic
from targets.settings import Settings
from tests.results.conftest import MANIFEST, PLAN

PINNED: dict[str, Any] = {
    **{role: [] for role in ("web", "worker", "broker", "generator")},
    "workers_give_way": False,
    "note": "",
}


@pytest.mark.parametrize("name", ["a", "quick-20260101-120000", "v1.2_b", "über-3", "x" * LONGEST_NAME])
def test_a_name_of_letters_and_digits_is_taken(name: str) -> None:
    assert NAME.fullmatch(name)


PATHS = ["", ".", "..", ".hidden", "a/b", "a\\b", "a:b"]
OPTIONS = ["-rf", "_", "a.", "a-"]
PATTERNS = ["a b", "a*", "a?", 'a"', "a<b", "a|b"]
CONTROLS = ["a\n", "\na", "a\tb", "a\x1b[31mb", "a\0b", "a\x7f", "\u202eb", "a\u2028b", "\udcff"]


@pytest.mark.parametrize("name", [*PATHS, *OPTIONS, *PATTERNS, *CONTROLS, "x" * (LONGEST_NAME + 1)])
def test_any_other_is_refused_before_anything_is_made(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPOINT_RUNS", str(tmp_path / "runs"))
    agenda: Any = SimpleNamespace(profile="", work=[])
    conditions: Any = SimpleNamespace(name=name or ".", redis_url="")
    with pytest.raises(BlockpointError, match="cannot be a campaign's name") as caught:
        create(conditions, agenda, None)  # type: ignore[arg-type]
    assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def manifest(**changes: Any) -> Manifest:
    """Return one that was written here, and so may be gone on with."""
    return msgspec.structs.replace(
        MANIFEST, environment=environment(), pinning={"one-box": PINNED}, **changes
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"pinning": {}},
        {"pinning": {"one-box": []}},
        {"pinning": {"one-box": {**PINNED, "web": "all"}}},
        {"pinning": {"one-box": {**PINNED, "web": ["0"]}}},
        {"pinning": {"one-box": {**PINNED, "workers_give_way": "no"}}},
        {"topology": []},
        {"topology": ["cloud"]},
        {"plans": [msgspec.structs.replace(PLAN, topology="cloud")]},
        {"plans": [msgspec.structs.replace(PLAN, subject="no/such")]},
    ],
    ids=str,
)
def test_a_manifest_that_makes_no_sense_is_not_gone_on_with(
    tmp_path: Path, members: Family, changes: dict[str, Any]
) -> None:
    campaign = create_campaign(tmp_path / "a", msgspec.structs.replace(manifest(), **changes))
    with pytest.raises(BlockpointError, match="does not say what is measured, and where"):
        reopen(str(campaign.folder), members)


@pytest.mark.parametrize("host", [None, [], "x", {}])
def test_a_manifest_of_no_machine_is_not_gone_on_with(tmp_path: Path, members: Family, host: Any) -> None:
    odd = msgspec.structs.replace(manifest(), environment={**environment(), "host": host})
    with pytest.raises(BlockpointError, match="another machine"):
        reopen(str(create_campaign(tmp_path / "a", odd).folder), members)


def test_a_campaign_of_an_agents_host_is_gone_on_with_there_alone(tmp_path: Path, members: Family) -> None:
    told = {**environment(), AGENT: {"host": "web-1", "address": "http://10.0.0.7:8700"}}
    there = create_campaign(tmp_path / "a", msgspec.structs.replace(manifest(), environment=told))
    with pytest.raises(BlockpointError, match="was measured with an agent: go on by --agent"):
        reopen(str(there.folder), members)
    here = create_campaign(tmp_path / "b", manifest())
    with pytest.raises(BlockpointError, match="was measured without --agent"):
        reopen(str(here.folder), members, OnAnother("web-1"))
    other = create_campaign(tmp_path / "c", msgspec.structs.replace(manifest(), environment=told))
    with pytest.raises(BlockpointError, match="was measured on web-1, and this agent is on web-2"):
        reopen(str(other.folder), members, OnAnother("web-2"))


class OnAnother(ThisHost):
    """This host under another's name."""

    elsewhere: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        self.name = name

    def environment(self) -> dict[str, Any]:
        return {**super().environment(), AGENT: {"host": self.name}}


def arguments(plan: Plan) -> list[str]:
    url = "http://127.0.0.1:1"
    subject = SimpleNamespace(key=plan.subject, strategy="inline", variant="default")
    target: Any = SimpleNamespace(url=url, host=url, subject=subject, nonce="")
    return generator.arguments(target, plan, Path("out"), 1.0, 0.0)


@pytest.mark.parametrize(
    "options",
    [
        ["-f", "evil.py"],
        ["--config", "evil.conf"],
        ["--locustfile=evil.py"],
        ["--durations", "-f"],
        ["--durations"] * 3,
    ],
    ids=str,
)
def test_a_plan_from_elsewhere_gives_locust_no_option_of_its_own(options: list[str]) -> None:
    with pytest.raises(BlockpointError, match="options that no plan of ours has"):
        arguments(msgspec.structs.replace(PLAN, options=options))


def test_every_plan_of_ours_is_carried_out() -> None:
    def ceiling(*_: object) -> float:
        return 100.0

    (point,) = points(SEARCHES["quick"], ["background_tasks/default"], Settings(), BY_RULE)
    searched = trials.planned(point, Step(20, stairs=(10, 20)), 1)
    keys = ["background_tasks/default", "threadpool/tuned", "celery/tuned", "arq/tuned"]
    planned = [
        plan.options
        for profile in PROFILES.values()
        for plan in Planner(profile, ceiling, 1, ()).plan(keys, list(profile.topologies))
    ]
    planned += [list(drill.options) for drill in DRILLS.values()]
    planned.append(searched.options)
    planned += [
        Traffic("onoff", 1.0, 2.0).options,
        Traffic(mix=10.0).options,
        Traffic("trace", trace="/t/trace.csv").options,
    ]
    assert len({tuple(options) for options in planned}) > 4
    for options in planned:
        assert arguments(msgspec.structs.replace(PLAN, options=options))[-len(options) or None :] is not None
    named = set(itertools.chain.from_iterable(options[::2] for options in planned)) | {"--slip-limit-ms"}
    assert named == generator.OPTIONS
