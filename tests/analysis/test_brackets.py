import pytest

from analysis.trials.brackets import Bracket, Verdict, bracket, covering

HELD, LEANS_HELD = (False, True), (False, False)
FAILED, LEANS_FAILED = (True, True), (True, False)
FOUND = Bracket(80, 110)
CASES = [
    ("nothing contradicts it", [(80, HELD), (110, FAILED)], FOUND),
    ("leanings inside it", [(80, HELD), (90, LEANS_FAILED), (100, LEANS_HELD), (110, FAILED)], FOUND),
    (
        "leanings that agree with it",
        [(70, LEANS_HELD), (80, HELD), (110, FAILED), (120, LEANS_FAILED)],
        FOUND,
    ),
    (
        "one leans to failed below the held edge",
        [(60, HELD), (70, LEANS_FAILED), (80, HELD), (110, FAILED)],
        Bracket(60, 110, disputed=True),
    ),
    (
        "one leans to failed at the held edge",
        [(60, HELD), (80, LEANS_FAILED), (80, HELD), (110, FAILED)],
        Bracket(60, 110, disputed=True),
    ),
    (
        "one leans to failed below two that certainly held",
        [(60, HELD), (70, LEANS_FAILED), (75, HELD), (80, HELD), (110, FAILED)],
        FOUND,
    ),
    (
        "one leans to held above two that certainly failed",
        [(80, HELD), (110, FAILED), (115, FAILED), (120, LEANS_HELD)],
        FOUND,
    ),
    (
        "one leans to held above the failed edge",
        [(80, HELD), (110, FAILED), (120, LEANS_HELD), (130, FAILED)],
        Bracket(80, 130, disputed=True),
    ),
    (
        "nothing failed above one that leans to held",
        [(80, HELD), (110, FAILED), (120, LEANS_HELD)],
        Bracket(80, None, disputed=True),
    ),
    (
        "nothing held below one that leans to failed",
        [(70, LEANS_FAILED), (80, HELD), (110, FAILED)],
        Bracket(None, 110, disputed=True),
    ),
]


@pytest.mark.parametrize(("why", "answers", "covered"), CASES)
def test_an_interval_covers_what_only_leans(
    why: str, answers: list[tuple[float, tuple[bool, bool]]], covered: Bracket
) -> None:
    assert covering(FOUND, [Verdict(rate, *answer) for rate, answer in answers]) == covered, why


def test_an_open_interval_stays_open() -> None:
    leaning = [Verdict(60, failed=False), Verdict(70, failed=True, certain=False), Verdict(80, failed=False)]
    assert covering(Bracket(80, None), leaning) == Bracket(60, None, disputed=True)
    assert covering(Bracket(None, None), []) == Bracket(None, None)


@pytest.mark.parametrize(("margin", "counts"), [(0.07, True), (0.036, True), (0.035, False), (0.0, True)])
def test_a_verdict_that_only_leans_does_not_count_once_a_certain_one_is_much_finer(
    margin: float, counts: bool
) -> None:
    leaning = Verdict(183, failed=True, certain=False, margin=0.07)
    answers = [leaning, Verdict(183, failed=False, margin=margin), Verdict(200, failed=True, margin=0.02)]
    assert covering(bracket(answers), answers).disputed == counts
