"""The questions that a campaign answers: one row each, read by tables, words, charts and the search."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from analysis.queueing.expected import expected_blocking, expected_saturation
from analysis.trials import verdicts
from analysis.trials.brackets import Bracket, Verdict, bracket, covering
from analysis.trials.slowness_by_rate import settle_blocking
from results.schema import Point, Subject

Rows = Sequence[Mapping[Any, Any]]
Line = Literal["-"] | tuple[float, tuple[float, ...]]


@dataclass(frozen=True)
class Question:
    """Above which rate something gives way, and all that is needed to ask it and to tell the answer."""

    name: str
    """in the column `question` of the points"""
    column: str
    """of the summary: whether it gave way; beside it `COLUMN_certain`, and `COLUMN_by` if it names streams"""
    judge: Callable[[Mapping[str, Any], float], Mapping[str, Any]]
    """makes these columns from a row of the summary and the limit in ms"""
    who: str
    """what gives way: `API`"""
    gives_way: str
    """`blocks`"""
    meaning: str
    """within a sentence, with `{limit}` for the limit: `the backlog grows`"""
    expected: Callable[[Point, Subject, float], float | None] = lambda _point, _subject, _limit_ms: None
    """what theory says of a point under a limit in ms: infinite where it never gives way, None for nothing"""
    settle: Callable[[Rows, float, float], tuple[Bracket, bool]] | None = None
    """makes the interval, and says whether its edges are sure, of rows of the summary, the limit in ms and
    the wanted width; None where each row's verdict stands for itself"""
    fine: str = ""
    """what it is as long as it does not, before a rate: `fast to`; empty where its label has to do"""
    measure: str = ""
    """of the summary: what tells the verdicts; beside it `MEASURE_high`, the end of its interval"""
    named_by: str = ""
    """the heading of the streams that gave way; empty where it names none"""
    doubt: str = "within the margin of error"
    """what an answer with `~` leaves open"""
    criterion: str = ""
    """`meaning` as short as a chart's subtitle needs it; empty where the chart need not say it"""
    explained: str = ""
    """on the page, after `The API blocks`: what a reader could get wrong"""
    line: Line = (0, (1, 1))
    marker: str = "s"

    @property
    def label(self) -> str:
        """What is asked, as a table prints it: `API blocks`."""
        return f"{self.who} {self.gives_way}"

    @property
    def words(self) -> str:
        """What is asked, within a sentence: `the API blocks`."""
        return f"the {self.label}"

    @property
    def heading(self) -> str:
        """The heading of the rate at which it gives way: `API blocks at`."""
        return f"{self.label[0].upper()}{self.label[1:]} at"

    @property
    def reach(self) -> str:
        """The heading of the highest rate that held: `fast to`."""
        return self.fine or f"{self.label} above"

    def meaning_at(self, limit: str) -> str:
        """Return what it means to give way, under that limit in words."""
        return self.meaning.format(limit=limit)

    @property
    def certain_column(self) -> str:
        """The column of the summary that says whether the margin of error lies on one side of the limit."""
        return f"{self.column}_certain"

    @property
    def by_column(self) -> str:
        """The column of the summary that names the streams; empty where there is none."""
        return f"{self.column}_by" if self.named_by else ""

    def interval(self, rows: Rows, limit_ms: float, precision: float) -> tuple[Bracket, bool]:
        """Return where it gives way by valid rows of the summary, and whether both edges are sure."""
        answers = [self.verdict(float(row["offered_per_s"]), row) for row in rows]
        if self.settle:
            settled, certain = self.settle(rows, limit_ms, precision)
            found = covering(settled, [answer for answer in answers if answer.certain])
            return found, certain and not found.disputed
        found = covering(bracket(answers), answers)
        sure = {answer.rate_per_s for answer in answers if answer.certain}
        return found, not found.disputed and all(
            edge in sure for edge in (found.held, found.failed) if edge is not None
        )

    def verdict(self, rate_per_s: float, row: Mapping[Any, Any]) -> Verdict:
        """Return what a row of the summary answers at that rate."""
        high = row.get(f"{self.measure}_high")
        margin = 0.0 if high is None else float(high - row[self.measure])
        return Verdict(rate_per_s, bool(row[self.column]), bool(row[self.certain_column]), margin)


BLOCKING: Final = "blocking"
SATURATION: Final = "saturation"
QUESTIONS: Final = {
    question.name: question
    for question in (
        Question(
            BLOCKING,
            "blocked",
            verdicts.blocking,
            who="API",
            gives_way="blocks",
            meaning="the p99 of accepting a task or of an unrelated request crosses {limit}",
            criterion="the p99 of a stream is above {limit}",
            expected=expected_blocking,
            settle=settle_blocking,
            fine="fast to",
            doubt="not confirmed at length",
            named_by="What blocks",
            line="-",
            marker="o",
        ),
        Question(
            SATURATION,
            "behind",
            verdicts.falling_behind,
            who="work",
            gives_way="falls behind",
            meaning="the backlog grows",
            fine="keeps up to",
            measure="backlog_growth",
            explained=(
                "where the backlog grew, by more than 1 % of the arrivals and by more than chance makes "
                "likely, or where more than 1 % of the tasks were turned away. A verdict whose margin of "
                "error crosses the limit makes no edge of an interval where a certain one can."
            ),
            expected=lambda point, subject, _limit_ms: expected_saturation(point, subject),
            line=(0, (4, 1.5)),
            marker="D",
        ),
    )
}
"""by name, in the order of tables"""


def asked_of(subject: Subject) -> dict[str, Question]:
    """Return the questions that can be asked of a subject: where no end is seen, nothing falls behind."""
    unseen = subject.completions == "none"
    return {name: each for name, each in QUESTIONS.items() if not (unseen and name == SATURATION)}


def judged(row: Mapping[str, Any], limit_ms: float) -> dict[str, Any]:
    """Return `limit_ms` and the verdicts of a row of the summary on every question."""
    found: dict[str, Any] = {"limit_ms": limit_ms}
    for question in QUESTIONS.values():
        found |= question.judge(row, limit_ms)
    return found
