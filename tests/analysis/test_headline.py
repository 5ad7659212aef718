import dataclasses
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from analysis.charts.conditions import cores_of, placement
from analysis.drills.facts import Fact
from analysis.report.headline import headline, killed, listed, most_carried, usual_way
from analysis.report.reach import Condition, Reach, first_condition, reaches
from analysis.trials.brackets import Bracket
from analysis.trials.questions import BLOCKING, SATURATION
from results.schema import Manifest
from results.store import Campaign
from tests.analysis.synthetic import Truth

SLEEP = Condition("sleep", 100.0, "one-box")


def reach(
    name: str, blocking: Sequence[float | None], saturation: Sequence[float | None], *, shaky: bool = False
) -> Reach:
    (found,) = reaches(pd.DataFrame(points(name, blocking, saturation, shaky=shaky)), SLEEP)
    return found


def points(
    name: str, blocking: Sequence[float | None], saturation: Sequence[float | None], *, shaky: bool = False
) -> list[dict[str, Any]]:
    strategy, variant = name.split("/")
    return [
        {
            "strategy": strategy,
            "variant": variant,
            "kind": SLEEP.kind,
            "duration_ms": SLEEP.duration_ms,
            "topology": SLEEP.topology,
            "question": question,
            "held_per_s": float("nan") if held is None else held,
            "failed_per_s": float("nan") if failed is None else failed,
            "disputed": False,
            "shaky": shaky,
        }
        for question, (held, failed) in ((BLOCKING, blocking), (SATURATION, saturation))
    ]


def slow(name: str, rate_per_s: float, **p99_ms: float) -> pd.DataFrame:
    strategy, variant = name.split("/")
    about = {"strategy": strategy, "variant": variant, "valid": True, "offered_per_s": rate_per_s}
    streams = dict.fromkeys(("accept", "ping", "ping_sync"), 5.0) | p99_ms
    return pd.DataFrame([about | {f"{stream}_p99_ms": value for stream, value in streams.items()}])


BACKGROUND = "background_tasks/default"
USUAL = [
    ((360, 450), (360, 450), {"ping_sync": 640.0}, "carries 360/s with a fast API; beyond it, at 450/s, unr"),
    ((360, 450), (360, 450), {"ping_sync": 640.0}, "at 450/s, unrelated `def` endpoints take 640 ms (p99)."),
    ((360, 450), (500, None), {"ping": 2400.0}, "unrelated `async def` endpoints take 2.4 s (p99)"),
    ((360, 450), (500, None), {"accept": 300.0}, "accepting a task takes 300 ms (p99)"),
    ((900, None), (360, 450), {}, "at 450/s, the work falls behind while the API stays fast up to 900/s"),
    ((360, None), (360, 450), {}, "at 450/s, the work falls behind."),
    ((1000, None), (1000, None), {}, "carries 1,000/s, the highest rate tried, with a fast API."),
    ((None, 2), (360, 450), {"accept": 110.0}, "way at every rate tried, from 2/s on: accepting a task"),
]  # fmt: skip


@pytest.mark.parametrize(("blocking", "saturation", "p99_ms", "said"), USUAL)
def test_the_first_sentence_tells_what_the_usual_way_carries_and_what_is_beyond(
    blocking: Sequence[float | None],
    saturation: Sequence[float | None],
    p99_ms: dict[str, float],
    said: str,
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    found = [reach("inline/default", (1, 2), (1, 2)), reach(BACKGROUND, blocking, saturation)]
    at = min(rate for _, rate in (blocking, saturation) if rate) if blocking[1] or saturation[1] else 0
    told = usual_way(found, slow(BACKGROUND, at, **p99_ms), small[0].manifest, SLEEP)
    assert told.startswith("For sleep tasks of 100 ms, background_tasks/default ")
    assert said in told


def test_where_the_usual_way_was_not_measured_the_first_subject_stands_in(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    found = [reach("arq/tuned", (300, None), (300, None), shaky=True)]
    told = usual_way(found, slow("arq/tuned", 1), small[0].manifest, SLEEP)
    assert (
        told
        == "For sleep tasks of 100 ms, arq/tuned carries ~300/s, the highest rate tried, with a fast API."
    )
    assert usual_way([], slow("arq/tuned", 1), small[0].manifest, SLEEP) == ""


def test_one_that_is_surely_ahead_is_named_alone() -> None:
    found = [reach("a/x", (900, 1000), (1000, None)), reach("b/x", (300, 400), (300, 400))]
    assert most_carried(found) == "Most is carried by a/x: 900/s. First to give way: b/x, at 400/s."


def test_of_intervals_that_overlap_none_is_ahead() -> None:
    found = [
        reach("a/x", (900, 1000), (1000, None)),
        reach("b/x", (300, None), (300, 901)),
        reach("c/x", (300, None), (300, 900)),
        reach("d/x", (None, 900), (300, None)),
    ]
    told = most_carried(found)
    assert told.startswith("Most is carried by a/x and b/x, up to 900/s; their intervals overlap")
    assert told.endswith("First to give way: c/x and d/x, at 900/s.")


def test_what_blocks_by_definition_is_not_the_first_to_give_way() -> None:
    found = [reach("a/x", (900, None), (900, None)), reach("b/x", (300, 400), (300, 400))]
    inline = dataclasses.replace(reach("inline/x", (None, 2), (900, None)), everywhere=True)
    told = most_carried([*found, inline])
    assert told.startswith(
        "Most is carried by a/x: 900/s, the highest rate tried. First to give way: b/x, at 400/s."
    )
    assert told.endswith(" inline/x blocks at every rate, since a task takes longer than the limit.")


def test_many_that_overlap_are_counted() -> None:
    found = [reach(f"{name}/x", (900, None), (900, None)) for name in "abcdef"]
    assert "carried by a/x, b/x, c/x, d/x and 2 more, up to 900/s, the highest rate tried;" in most_carried(
        found
    )


@pytest.mark.parametrize(
    "found", [[], [reach("a/x", (9, 10), (9, 10))], [reach("a/x", (None, 2), (1, 2))] * 2]
)
def test_of_nothing_to_compare_nothing_is_said(found: list[Reach]) -> None:
    assert most_carried(found) == ""


def fact(subject: str, lost: int, in_flight: int, drill: str = "kill-web") -> Fact:
    return Fact("drills", drill, subject, 5, 100, lost, 0, 0, 0, in_flight, lost, float("nan"), 0.0, 0.0, 0)


def test_what_a_killed_process_costs_is_told_of_what_was_measured() -> None:
    every = [fact("background_tasks/default", 44, 44), fact("celery/tuned", 0, 39), fact("arq/tuned", 0, 56)]
    every.append(fact("own/worker", 3, 40, "kill-worker"))
    facts = {(each.subject, each.drill): each for each in every}
    both = killed(["background_tasks/default", "celery/tuned", "own/default"], facts)
    assert "killed, background_tasks lost 44 of 44 tasks under way; celery lost none of 39." in both
    assert killed(["celery/tuned", "arq/tuned"], facts).endswith("killed, celery and arq lost none of 95.")
    assert killed(["own/default"], facts) == ""
    assert killed(["own/worker"], facts) == "When a worker was killed, own lost 3 of 40 tasks under way."


def test_the_reach_is_the_lower_of_both_answers() -> None:
    found = reach("a/x", (300, 900), (200, 250))
    assert (found.held_per_s, found.failed_per_s, found.first) == (200, 250, SATURATION)
    assert reach("a/x", (300, 310), (200, 400)).held_per_s == 200
    assert reach("a/x", (None, 310), (200, 400)).held_per_s is None
    assert found.found[BLOCKING] == Bracket(300, 900)
    assert reaches(pd.DataFrame(points("a/x", (None, None), (None, None))), SLEEP) == []


def test_the_page_begins_with_tasks_that_sleep_nearest_to_100_ms(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    rows = [
        row | {"kind": kind, "duration_ms": duration}
        for row in points("a/x", (1, 2), (1, 2))
        for kind, duration in (("cpu", 100.0), ("sleep", 10.0), ("sleep", 300.0))
    ]
    manifest = small[0].manifest
    assert first_condition(pd.DataFrame(rows), manifest) == Condition("sleep", 300.0, "one-box")
    assert first_condition(pd.DataFrame(rows[:1]), manifest) == Condition("cpu", 100.0, "one-box")
    assert first_condition(pd.DataFrame(), manifest) is None


def pinned(manifest: Manifest, **cores: list[int]) -> Manifest:
    return Manifest(
        **{name: getattr(manifest, name) for name in manifest.__struct_fields__}
        | {"pinning": {"one-box": cores}}
    )


def test_the_header_says_which_cores_ran_what(small: tuple[Campaign, dict[str, Truth]]) -> None:
    one = pinned(small[0].manifest, web=[0], worker=[0], broker=[0], generator=[1])
    assert placement(one, "one-box") == "web, worker, broker on core 0; generator on core 1"
    assert cores_of(one, "one-box") == "one core"
    two = pinned(small[0].manifest, web=[0], worker=[2, 3], generator=[1])
    assert placement(two, "one-box") == "web on core 0; worker on cores 2, 3; generator on core 1"
    assert cores_of(two, "one-box") == "3 cores"
    assert placement(small[0].manifest, "one-box") == cores_of(small[0].manifest, "one-box") == ""


def test_a_campaign_gets_as_many_sentences_as_it_has_answers(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    rows = pd.DataFrame(points(BACKGROUND, (60, 120), (60, 120)))
    summary = slow(BACKGROUND, 120, ping_sync=900.0).assign(
        kind="sleep", duration_ms=100.0, topology="one-box"
    )
    assert len(headline(summary, rows, small[0].manifest, SLEEP, {})) == 1


def test_lists_read_as_english() -> None:
    assert [listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
