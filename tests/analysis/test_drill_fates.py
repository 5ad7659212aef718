"""Fates against a plain reference that looks at one task at a time, and against planted stories."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.drills.fates import (
    ACKNOWLEDGED_WITHIN_NS,
    OF_ACCEPTED,
    Evidence,
    Rows,
    Verdicts,
    count,
    fates,
)
from results.columns import LEDGER_RECORD
from results.errors import BlockpointError
from results.terms import NEVER, Fate, Look, Moment, Outcome

S = 1_000_000_000
WEB, CHILD, SPARE = 10, 20, 30
RECEIVED, ACCEPTED, STARTED, FINISHED, FAILED, INTERRUPTED = Moment
OVER = (FINISHED, FAILED, INTERRUPTED)
FAULT = Evidence(
    max_attempts=3,
    from_ns=10 * S,
    to_ns=12 * S,
    at_rest_ns=20 * S,
    in_process=False,
    alive_pids=frozenset({WEB, SPARE}),
)
Record = tuple[int, Moment, float, int, int]
"""task, moment, seconds, process, attempt"""


def records(*rows: Record) -> np.ndarray:
    made = np.zeros(len(rows), LEDGER_RECORD)
    for place, (task, moment, at_s, pid, attempt) in enumerate(rows):
        made[place] = (task, round(at_s * S), pid, attempt, moment, 0)
    return made


def rows(outcomes: Mapping[int, Outcome]) -> Rows:
    return Rows.of(
        {
            "task_id": np.array(list(outcomes), np.uint64),
            "outcome": np.array(list(outcomes.values()), np.int8),
            "sent_ns": np.array([NEVER if o == Outcome.SHED else 0 for o in outcomes.values()], np.int64),
        }
    )


def look(ids: Any) -> np.ndarray:
    return np.array(sorted(ids), np.uint64)


def judge(
    *story: tuple[Moment, float, int, int],
    outcome: Outcome = Outcome.ACCEPTED,
    rest: bool = False,
    horizon: bool = False,
    **evidence: Any,
) -> Verdicts:
    """Give one task a story and return the verdict."""
    events = records(*((7, *record) for record in story))
    held = {Look.AT_REST: look([7] if rest else []), Look.AT_HORIZON: look([7] if horizon else [])}
    return fates(rows({7: outcome}), events, held, replace(FAULT, **evidence))


IN = ((RECEIVED, 9.0, WEB, 0), (ACCEPTED, 9.1, WEB, 0))
EARLY = ((RECEIVED, 1.0, WEB, 0), (ACCEPTED, 1.1, WEB, 0))
LATE = ((RECEIVED, 13.0, WEB, 0), (ACCEPTED, 13.1, WEB, 0))
RUN = ((STARTED, 9.2, CHILD, 1), (FINISHED, 9.5, CHILD, 1))
CUT = ((STARTED, 9.8, CHILD, 1),)
AGAIN = ((STARTED, 30.0, SPARE, 1), (FINISHED, 30.5, SPARE, 1))


@pytest.mark.parametrize(
    ("story", "options", "expected"),
    [
        ((*IN, *RUN), {}, Fate.COMPLETED),
        ((*IN, *RUN, *AGAIN), {}, Fate.COMPLETED_TWICE),
        ((*IN, *CUT, *AGAIN), {}, Fate.STARTED_TWICE),
        ((*IN, *CUT, *AGAIN), {"rest": True}, Fate.STARTED_TWICE),
        ((*IN, *AGAIN), {"rest": True}, Fate.HIDDEN),
        ((*IN, *AGAIN), {}, Fate.COMPLETED),
        ((*IN, (STARTED, 9.2, CHILD, 1), (FAILED, 9.3, CHILD, 1), *AGAIN), {}, Fate.COMPLETED),
        ((*IN, (STARTED, 9.2, CHILD, 3), (FAILED, 9.3, CHILD, 3)), {"horizon": True}, Fate.FAILED),
        ((*IN, (STARTED, 9.2, CHILD, 1), (FAILED, 9.3, CHILD, 1)), {}, Fate.FAILED),
        ((*IN, (STARTED, 9.2, CHILD, 1), (FAILED, 9.3, CHILD, 1)), {"horizon": True}, Fate.HELD),
        ((*IN, *CUT), {}, Fate.LOST),
        ((*IN, *CUT), {"horizon": True}, Fate.HELD),
        ((*IN, (STARTED, 9.8, SPARE, 1)), {}, Fate.CUT_OFF),
        ((*IN, (STARTED, 9.8, SPARE, 1), (INTERRUPTED, 9.9, SPARE, 1)), {}, Fate.LOST),
        ((*IN, (STARTED, 9.8, SPARE, 1), (INTERRUPTED, 9.9, SPARE, 1), *AGAIN), {}, Fate.STARTED_TWICE),
        ((*IN, (STARTED, 9.8, CHILD, 1), (INTERRUPTED, 9.9, CHILD, 1)), {"horizon": True}, Fate.HELD),
        (IN, {}, Fate.LOST),
        (IN, {"in_process": True}, Fate.CUT_OFF),
        (IN, {"in_process": True, "alive_pids": frozenset({SPARE})}, Fate.LOST),
        (EARLY, {}, Fate.LOST),
        (LATE, {}, Fate.UNACCOUNTED),
        ((*LATE, (STARTED, 13.2, CHILD, 1)), {}, Fate.UNACCOUNTED),
        ((*LATE, *AGAIN), {}, Fate.COMPLETED),
        ((), {}, Fate.UNACCOUNTED),
        ((), {"horizon": True}, Fate.UNACCOUNTED),
        ((*IN, (FINISHED, 9.5, CHILD, 1)), {}, Fate.UNACCOUNTED),
        ((*IN, (FINISHED, 9.2, CHILD, 1), (STARTED, 9.5, CHILD, 1)), {}, Fate.UNACCOUNTED),
        ((*IN, (STARTED, 9.2, CHILD, 1), (FINISHED, 9.5, SPARE, 1)), {}, Fate.UNACCOUNTED),
        (RUN, {}, Fate.COMPLETED),
        ((*EARLY, (STARTED, 2, CHILD, 1), (FINISHED, 3, CHILD, 1)), {"horizon": True}, Fate.UNACCOUNTED),
        ((*IN, *RUN), {"horizon": True}, Fate.COMPLETED),
        ((*IN, *CUT), {"outcome": Outcome.UNKNOWN}, Fate.RAN_UNACCEPTED),
        ((*IN, *RUN), {"outcome": Outcome.REJECTED}, Fate.RAN_UNACCEPTED),
        (IN, {"outcome": Outcome.UNKNOWN}, Fate.UNKNOWN),
        (IN, {"outcome": Outcome.UNKNOWN, "horizon": True}, Fate.UNKNOWN),
        (IN[:1], {"outcome": Outcome.REJECTED}, Fate.REJECTED),
        ((), {"outcome": Outcome.REFUSED}, Fate.REJECTED),
        ((), {"outcome": Outcome.UNKNOWN}, Fate.UNKNOWN),
        ((), {"outcome": Outcome.SHED}, Fate.SHED),
        (IN, {"outcome": Outcome.SHED}, Fate.UNACCOUNTED),
    ],
)
def test_a_story_has_its_fate(story: Any, options: dict[str, Any], expected: Fate) -> None:
    verdicts = judge(*story, **options)
    assert Fate(verdicts.fate[0]) is expected
    assert count(verdicts) == {fate.label: int(fate is expected) for fate in Fate}


def test_hidden_is_asked_at_rest_whatever_becomes_of_the_task() -> None:
    seen = judge(*IN, *CUT, *AGAIN, rest=True)
    assert seen.hidden.all()
    assert seen.hidden_until_s(FAULT.from_ns, FAULT.at_rest_ns) == 20.0
    across = ((STARTED, 19.0, CHILD, 1), (FINISHED, 21.0, CHILD, 1))
    for story in ((*IN, *RUN), (*IN, (STARTED, 9.8, SPARE, 1)), (*IN, *across)):
        assert not judge(*story, rest=True).hidden.any()
    assert judge(*IN, rest=True, horizon=True).hidden_until_s(FAULT.from_ns, FAULT.at_rest_ns) is None
    assert not judge(*IN, rest=True, outcome=Outcome.UNKNOWN).hidden.any()


def test_under_way_counts_what_the_target_knew_and_had_not_ended() -> None:
    verdict = judge(*IN, *RUN)
    assert [verdict.under_way(round(at * S)) for at in (8.9, 9.0, 9.4, 9.5)] == [0, 1, 1, 0]
    assert judge(*IN, *CUT).under_way(40 * S) == 1


def test_the_moments_of_all_attempts_are_kept() -> None:
    verdict = judge(*IN, (STARTED, 9.2, CHILD, 1), (FAILED, 9.3, CHILD, 1), *AGAIN)
    assert verdict.attempts.tolist() == [2]
    found = [
        values[0] / S
        for values in (
            verdict.known_ns,
            verdict.first_start_ns,
            verdict.last_start_ns,
            verdict.first_end_ns,
            verdict.last_end_ns,
            verdict.ended_ns,
        )
    ]
    assert found == [9.0, 9.2, 30.0, 9.3, 30.5, 30.5]


def test_ids_that_are_not_unique_are_refused() -> None:
    twice = Rows(np.array([7, 7], np.uint64), np.zeros(2, np.int8), np.ones(2, bool))
    with pytest.raises(BlockpointError, match="same task id"):
        fates(twice, records(), {}, FAULT)


def test_a_count_that_does_not_add_up_is_refused() -> None:
    verdicts = judge(*IN, *RUN)
    with pytest.raises(BlockpointError, match="0 of 1 tasks"):
        count(replace(verdicts, fate=np.array([-1], np.int8)))
    with pytest.raises(BlockpointError, match="saw 1 of them"):
        count(replace(verdicts, fate=np.array([Fate.REJECTED], np.int8)))


def test_events_of_tasks_never_sent_are_strangers() -> None:
    assert fates(rows({7: Outcome.SHED}), records((8, *IN[0])), {}, FAULT).strangers == 1


IDS = [1, 2, 3, 4, 2**64 - 1]
event = st.tuples(
    st.sampled_from([*IDS, 99]),
    st.sampled_from(list(Moment)),
    st.sampled_from([1.0, 9.0, 9.5, 11.0, 15.0, 20.0, 25.0]),
    st.sampled_from([WEB, CHILD, SPARE]),
    st.integers(0, 4),
)
some = st.sets(st.sampled_from([*IDS, 99]))
looks = st.fixed_dictionaries(dict.fromkeys(Look, some))
shared: dict[str, Any] = {
    "max_attempts": st.integers(1, 3),
    "in_process": st.booleans(),
    "alive_pids": st.frozensets(st.sampled_from([WEB, CHILD, SPARE])),
}
healthy = st.builds(Evidence, **shared)
broken = st.builds(
    Evidence,
    **shared,
    from_ns=st.just(10 * S),
    to_ns=st.sampled_from([10 * S, 12 * S]),
    at_rest_ns=st.just(20 * S),
)
evidence = st.one_of(broken, healthy)
outcomes = st.fixed_dictionaries({task: st.sampled_from(list(Outcome)) for task in IDS})


@settings(max_examples=400)
@given(outcomes, st.lists(event, max_size=24), looks, evidence, st.randoms(use_true_random=False))
def test_any_records_give_each_task_one_fate_in_any_order(
    known: dict[int, Outcome],
    story: list[Record],
    named: dict[Look, set[int]],
    facts: Evidence,
    luck: Any,
) -> None:
    held = {when: look(ids) for when, ids in named.items()}
    verdicts = fates(rows(known), records(*story), held, facts)
    told = [Fate(fate) for fate in verdicts.fate]
    for task, fate in zip(known, told, strict=True):
        about = {when: task in ids for when, ids in named.items()}
        assert fate is reference(known[task], [r for r in story if r[0] == task], about, facts)
    counts = count(verdicts)
    assert counts == {fate.label: Counter(told)[fate] for fate in Fate}
    assert verdicts.strangers == sum(record[0] == 99 for record in story)
    for task, fate in zip(known, told, strict=True):
        assert fate is Fate.UNACCOUNTED or (fate in OF_ACCEPTED) == (known[task] is Outcome.ACCEPTED)
    shuffled = list(story)
    luck.shuffle(shuffled)
    again = fates(rows(known), records(*shuffled), held, facts)
    for name in Verdicts.__dataclass_fields__:
        assert np.array_equal(getattr(again, name), getattr(verdicts, name))


def reference(  # noqa: C901, PLR0911, PLR0912 -- one task, rule by rule
    outcome: Outcome, story: list[Record], named: dict[Look, bool], facts: Evidence
) -> Fate:
    """Tell one task's fate by reading its records one by one."""
    times = {moment: sorted(round(r[2] * S) for r in story if r[1] is moment) for moment in Moment}
    ends = sorted(times[FINISHED] + times[FAILED])
    first = sorted(times[RECEIVED] + times[ACCEPTED] + times[STARTED])

    def of(pid: int, *moments: Moment, until: float = np.inf) -> list[int]:
        return sorted(round(r[2] * S) for r in story if r[3] == pid and r[1] in moments and r[2] * S <= until)

    def runs(until: float = np.inf, *, awake: bool = False) -> bool:
        return any(
            len(of(pid, STARTED, until=until)) > len(of(pid, *OVER, until=until))
            and (pid in facts.alive_pids or (awake and of(pid, *OVER) != of(pid, *OVER, until=until)))
            for pid in (WEB, CHILD, SPARE)
        )

    for pid in (WEB, CHILD, SPARE):
        began, over = of(pid, STARTED), of(pid, *OVER)
        if len(over) > len(began) or (over and over[0] < began[0]):
            return Fate.UNACCOUNTED
    if outcome is Outcome.SHED:
        return Fate.UNACCOUNTED if first else Fate.SHED
    if outcome is not Outcome.ACCEPTED:
        if times[STARTED]:
            return Fate.RAN_UNACCEPTED
        return Fate.UNKNOWN if outcome is Outcome.UNKNOWN else Fate.REJECTED
    if not first:
        return Fate.UNACCOUNTED
    gave_up = False
    if times[FAILED] and not times[FINISHED] and times[FAILED][-1] >= times[STARTED][-1] and not runs():
        tries = max(r[4] for r in story if r[1] is FAILED and round(r[2] * S) == times[FAILED][-1])
        gave_up = tries >= facts.max_attempts or (facts.to_ns != NEVER and not named[Look.AT_HORIZON])
    ended = bool(times[FINISHED]) or gave_up
    quiet = ended and ends[-1] < facts.from_ns - ACKNOWLEDGED_WITHIN_NS and times[STARTED][-1] <= ends[-1]
    if quiet and named[Look.AT_HORIZON]:
        return Fate.UNACCOUNTED
    if len(times[FINISHED]) > 1:
        return Fate.COMPLETED_TWICE
    if times[FINISHED]:
        if len(times[STARTED]) > len(times[FAILED]) + 1:
            return Fate.STARTED_TWICE
        over_at_rest = times[FINISHED][0] <= facts.at_rest_ns
        asleep = named[Look.AT_REST] and not over_at_rest and not runs(facts.at_rest_ns, awake=True)
        return Fate.HIDDEN if asleep else Fate.COMPLETED
    if gave_up:
        return Fate.FAILED
    if named[Look.AT_HORIZON]:
        return Fate.HELD
    waiting = any(of(pid, RECEIVED, ACCEPTED) for pid in facts.alive_pids) and not times[STARTED]
    if runs() or (facts.in_process and waiting):
        return Fate.CUT_OFF
    return Fate.LOST if first[0] <= facts.to_ns else Fate.UNACCOUNTED
