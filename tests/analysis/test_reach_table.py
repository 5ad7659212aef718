"""The table that ends a search: one screen, in the order of the chart, with remarks below it."""

import math
import re
from typing import Any

import pandas as pd
import pytest

from analysis.trials.endings import Ending
from analysis.trials.questions import BLOCKING, QUESTIONS, SATURATION
from analysis.trials.ranking import ranked
from analysis.trials.reach_table import WIDTH, figure, reach_lines
from analysis.trials.remarks import MOST

SUBJECTS = [
    "inline/default",
    "background_tasks/default",
    "background_tasks/tuned",
    "background_tasks_async/default",
    "background_tasks_blocking/default",
    "threadpool/default",
    "threadpool/tuned",
    "celery/default",
    "celery/tuned",
    "arq/default",
    "arq/tuned",
]
LINES = 24


def point(subject: str, question: str, held: float, failed: float, **more: Any) -> dict[str, Any]:
    strategy, variant = subject.split("/")
    return {
        "strategy": strategy,
        "variant": variant,
        "kind": "sleep",
        "duration_ms": 100.0,
        "topology": "one-box",
        "limit_ms": 100.0,
        "question": question,
        "trials": 3,
        "predicted_per_s": math.nan,
        "ceiling_per_s": math.nan,
        "burst_share": math.nan,
        "held_per_s": held,
        "failed_per_s": failed,
        "disputed": False,
        "shaky": False,
        "core_bound": "",
        "ending": str(Ending.CLOSED),
        "wider_because": "",
        "missing": "",
    } | more


def both(subject: str, held: float, failed: float, **more: Any) -> list[dict[str, Any]]:
    return [point(subject, question, held, failed, **more) for question in QUESTIONS]


@pytest.fixture
def bench() -> pd.DataFrame:
    """Eleven subjects at two durations, each answer as wide as answers get and with every mark."""
    marked = {"shaky": True, "core_bound": "web", "burst_share": 0.53}
    rows = []
    for place, subject in enumerate(SUBJECTS):
        for duration_ms in (100.0, 500.0):
            held = 1_100.0 + 10 * place
            rows += both(subject, held, held * 1.2, duration_ms=duration_ms, **marked)
    return pd.DataFrame(rows)


def test_a_bench_fits_one_screen(bench: pd.DataFrame) -> None:
    lines = reach_lines(bench)
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].split() == ["fast", "to", "/", "keeps", "up", "to", "100", "ms", "500", "ms"]


def test_rows_stand_in_the_order_of_the_chart(bench: pd.DataFrame) -> None:
    named = [line.split()[0] for line in reach_lines(bench)[1 : 1 + len(SUBJECTS)]]
    assert named == ["/".join(subject) for subject in ranked(bench)]
    assert named != sorted(named)


def test_intervals_are_told_where_they_fit_and_else_the_rates_that_held(bench: pd.DataFrame) -> None:
    at_one = bench[bench["duration_ms"] == 100]
    (wide,) = (line for line in reach_lines(at_one) if line.startswith("inline/default"))
    (narrow,) = (line for line in reach_lines(bench) if line.startswith("inline/default"))
    assert wide.split()[1:] == ["~1,100", "to", "1,320*", "/", "~1,100", "to", "1,320*"]
    assert narrow.split()[1:] == ["~1,100*", "/", "~1,100*"] * 2


@pytest.mark.parametrize("width", [60, 80, WIDTH])
def test_durations_that_do_not_fit_go_below_each_other(bench: pd.DataFrame, width: int) -> None:
    durations = [1.0, 10.0, 100.0, 1_000.0, 10_000.0, 30_000.0]
    every = pd.concat([bench.assign(duration_ms=duration) for duration in durations])
    lines = reach_lines(every, width)
    assert max(map(len, lines)) <= width
    headings = " ".join(line for line in lines if line.startswith("fast to"))
    assert re.findall(r"\d+ m?s", headings) == ["1 ms", "10 ms", "100 ms", "1 s", "10 s", "30 s"]
    assert sum(line.startswith("arq/tuned") for line in lines) == headings.count("fast to") > 1


def test_a_kind_and_a_topology_have_a_table_of_their_own(bench: pd.DataFrame) -> None:
    lines = reach_lines(pd.concat([bench, bench.assign(kind="cpu"), bench.assign(topology="split")]))
    assert [line for line in lines if line in ("cpu, one-box", "sleep, one-box", "sleep, split")] == [
        "cpu, one-box",
        "sleep, one-box",
        "sleep, split",
    ]
    assert sum(line.startswith("inline/default ") for line in lines) == 3


@pytest.mark.parametrize(
    ("held", "failed", "more", "told"),
    [
        (358, 431, {}, "358 to 431"),
        (358, 431, {"shaky": True}, "~358 to 431"),
        (358, 431, {"core_bound": "web"}, "358 to 431*"),
        (20, 590, {"ending": "unfinished"}, "20 to 590?"),
        (680, math.nan, {"ending": "the highest rate tried"}, "> 680"),
        (500, math.nan, {"ending": "not found above", "shaky": True}, "~> 500?"),
        (math.nan, 2, {"ending": "the lowest rate tried"}, "< 2"),
        (math.nan, 2, {"ending": "at every rate"}, "no rate"),
        (math.nan, math.nan, {"ending": ""}, "not found"),
    ],
)
def test_a_figure_claims_no_more_than_was_found(
    held: float, failed: float, more: dict[str, Any], told: str
) -> None:
    assert figure(point("arq/tuned", BLOCKING, held, failed, **more)) == told


def test_an_unfinished_interval_keeps_both_ends_however_narrow_the_table() -> None:
    row = point("arq/tuned", BLOCKING, 20, 590, ending="unfinished")
    assert figure(row, whole=False) == "20 to 590?"
    assert figure(row | {"ending": "closed"}, whole=False) == "20"


def test_only_what_changes_an_answer_has_a_remark() -> None:
    absent = {"trials": 0, "ending": "", "missing": "the web process exited at once"}
    unfinished = {"ending": "unfinished", "wider_because": "time or trials ran out"}
    found = pd.DataFrame(
        [
            *both("celery/tuned", 300, 330, shaky=True, core_bound="web"),
            *both("arq/tuned", math.nan, math.nan, **absent),
            *both("arq/default", 100, 300, **unfinished),
            point("inline/default", BLOCKING, 40, 60, disputed=True, shaky=True),
            point("inline/default", SATURATION, 40, 60),
            *both("threadpool/tuned", 200, 230, ending="wider than asked", wider_because="time ran out"),
        ]
    )
    lines = reach_lines(found)
    remarks = lines[lines.index("") + 1 :][:3]
    assert remarks == [
        "arq/tuned: not measured: the web process exited at once",
        "inline/default: verdicts disagree",
        "arq/default: unfinished: time or trials ran out",
    ]
    assert lines[lines.index("") + 4].startswith("tasks/s; ")
    assert next(line for line in lines if line.startswith("arq/tuned ")).split()[1:] == ["not", "measured"]


def test_many_remarks_are_counted_and_long_ones_cut() -> None:
    rows = []
    for number, subject in enumerate(SUBJECTS):
        why = f"reason {number} " + "that is long " * 20
        rows += both(subject, math.nan, math.nan, trials=0, ending="", missing=why)
    lines = reach_lines(pd.DataFrame(rows))
    assert max(map(len, lines)) <= WIDTH
    assert f"and {len(SUBJECTS) - MOST} more such remarks, in the report" in lines
    assert sum(line.endswith("…") for line in lines) == MOST


def test_subjects_with_one_remark_share_a_line() -> None:
    unfinished = {"ending": "unfinished", "wider_because": "time or trials ran out"}
    rows = [row for subject in SUBJECTS for row in both(subject, 10, 30, **unfinished)]
    lines = reach_lines(pd.DataFrame(rows))
    (line,) = (line for line in lines if line.endswith("unfinished: time or trials ran out"))
    named, left = line.partition(":")[0].split(" and ")
    assert len(named.split(", ")) + int(left.split()[0]) == len(SUBJECTS)


def test_only_marks_that_are_shown_are_explained(bench: pd.DataFrame) -> None:
    plain = " ".join(reach_lines(pd.DataFrame(both("arq/tuned", 10, 11))))
    assert not set("~*?") & set(plain)
    assert "simulated" not in plain
    marked = " ".join(reach_lines(bench))
    assert "~ a repeat may move it" in marked
    assert "* moves with the machine: the web's core was full at an edge" in marked
    assert "would block at 53% of the rates above" in marked


def test_nothing_to_tell_is_no_line() -> None:
    assert reach_lines(pd.DataFrame()) == []


def test_tasks_that_take_no_time_are_ranked_too() -> None:
    rows = [*both("arq/tuned", 10, 11, duration_ms=0.0), *both("celery/tuned", 20, 22, duration_ms=0.0)]
    lines = reach_lines(pd.DataFrame(rows))
    assert lines[0].endswith("0 ms")
    assert [line.split()[0] for line in lines[1:3]] == ["celery/tuned", "arq/tuned"]
