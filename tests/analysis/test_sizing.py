import pytest

from analysis.drills.facts import shipped_facts
from analysis.queueing.waits import mdc_wait
from analysis.report.needs import Sources
from analysis.report.reach import Condition
from analysis.report.sizing import BUSY, carriers
from analysis.report.table import NOTHING
from analysis.trials.derive import read_derived
from results.store import Campaign
from tests.analysis.synthetic import Truth

TOLD = Condition("sleep", 50.0, "one-box")


def test_who_carries_what_is_told_by_the_points_half_load_and_drills(
    small: tuple[Campaign, dict[str, Truth]],
) -> None:
    derived = read_derived(small[0].folder)
    (of_50_ms,) = carriers(Sources(derived.manifest, derived.summary, derived.points, shipped_facts()), TOLD)
    assert of_50_ms["duration_ms"] == 50
    usual, celery = of_50_ms["subjects"]
    assert (usual["name"], usual["held"], usual["failed"]) == ("background_tasks/default", 60, 120)
    assert usual["slots"] == celery["slots"] == 4
    kept = TOLD.of(derived.summary[~derived.summary["behind"].astype(bool)])
    own = kept[kept["strategy"] == "background_tasks"]
    assert [rate for rate, _ in usual["cores"]] == sorted(set(own["offered_per_s"]))
    assert usual["cores"][0][1] == pytest.approx(
        own.groupby("offered_per_s")["web_cpu_cores"].median().iloc[0]
    )
    assert (usual["reach"], usual["what"]) == (
        "~60 to 120/s",
        derived.manifest.subject(usual["name"]).summary,
    )
    assert [text for text, _ in usual["kills"][1:]] == [
        f"{NOTHING} (no {each})" for each in ("worker", "broker")
    ]
    assert usual["kills"][0][0].startswith("no (")


@pytest.mark.parametrize("slots", [10, 20, 40, 100])
def test_from_ten_slots_on_few_wait_for_long_in_slots_that_are_busy(slots: int) -> None:
    assert mdc_wait(BUSY * slots, 1, slots, 99) < 1


def test_fewer_slots_need_more_room() -> None:
    assert mdc_wait(BUSY * 4, 1, 4, 99) > 1
