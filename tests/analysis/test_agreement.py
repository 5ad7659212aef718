from pathlib import Path

import numpy as np
import pytest

from analysis.trials.agreement import METRICS, RELEVANT, Pair, compare, false_alarms, figures
from analysis.trials.load import read_trial
from results.store import Campaign
from tests.analysis.conftest import POOL
from tests.analysis.synthetic import Cell, build


def pairs(folder: Path, *, second_per_s: float = 40) -> list[Pair]:
    """Three pairs of runs; each pair's second run is the first again, at another rate if asked for."""
    cells = [
        Cell(
            "celery", [(rate, 6, 50)], service=POOL, seed=seed, repeat=2 * seed + number, bystander_per_s=100
        )
        for seed in range(3)
        for number, rate in enumerate((40, second_per_s))
    ]
    campaign: Campaign = build(folder, cells)[0]
    runs = {trial.plan.repeat: figures(read_trial(campaign, trial)) for trial in campaign.trials()}
    return [(runs[2 * pair], runs[2 * pair + 1]) for pair in range(3)]


def test_the_same_runs_do_not_differ_and_raise_no_alarm(runs: Path) -> None:
    same = pairs(runs)
    found = compare(same)
    assert [each.metric for each in found] == list(METRICS)
    for each in found:
        assert each.ratio == pytest.approx(1)
        assert each.low <= 1 <= each.high
        assert not each.differs
    assert set(false_alarms(same).values()) == {0.0}


def test_what_differs_is_found_where_it_does(runs: Path) -> None:
    found = {each.metric: each for each in compare(pairs(runs, second_per_s=60))}
    throughput = found["throughput"]
    assert throughput.ratio == pytest.approx(40 / 60, rel=0.1)
    assert throughput.differs
    assert throughput.high < 1 / RELEVANT
    assert not found["/ping p99"].differs


def test_figures_are_in_order_of_time_and_after_the_warm_up(runs: Path) -> None:
    run, _ = pairs(runs)[0]
    assert len(run["accept"]) == pytest.approx(40 * 6 * 0.8, rel=0.2)
    assert len(run["ping"]) == pytest.approx(100 * 6 * 0.8, rel=0.2)
    assert run["throughput"] == pytest.approx(40, rel=0.2)
    assert run["completion"].min() >= 50


def test_of_no_pairs_nothing_is_known() -> None:
    assert all(np.isnan(each.low) and not each.differs for each in compare([]))
    assert all(np.isnan(share) for share in false_alarms([]).values())


def test_a_pair_alone_is_judged_by_what_differs_from_run_to_run() -> None:
    """Runs that lie a third apart by chance, each of them narrow in itself."""
    random = np.random.default_rng(5)

    def run() -> dict[str, np.ndarray]:
        level = float(random.lognormal(0, 0.3))
        return {name: level * random.normal(10, 0.1, 400) for name, _ in METRICS.values()}

    equals = [(run(), run()) for _ in range(40)]
    by_itself = np.mean([compare([pair])[0].differs for pair in equals])
    assert by_itself > 0.5
    assert max(false_alarms(equals).values()) <= 0.15
    assert false_alarms(equals[:2])["accept p50"] in {0.0, 0.5, 1.0}
