import re
import signal
from pathlib import Path

import numpy as np
import pytest

from analysis.trials.derive import read_derived
from analysis.trials.endings import Ending
from analysis.trials.questions import BLOCKING, SATURATION
from harness.terminal.exits import DONE, UNANSWERED
from results.schema import Trial
from results.store import Campaign, open_campaign

from .blockpoint import LIMIT_S, QUIET, blockpoint, eventually, families, started
from .doorkeeper import installed as installed_doorkeeper
from .semaphore import installed

pytestmark = pytest.mark.e2e

SLOTS, DURATION_MS = 8, 40.0
# a limit of a second forgives a generator that a busy machine holds up for 20 ms
FORGIVING = ["--slo-ms", "1000", *QUIET]
FIND = ["find", "--profile", "quick", "--seconds", "2", "--precision", "1.3", *FORGIVING]


def code_for(folder: Path) -> int:
    """Return the exit code that a search owes whoever reads its points."""
    answered = (Ending(ending).answered for ending in read_derived(folder).points["ending"])
    return DONE if all(answered) else UNANSWERED


def service_s(campaign: Campaign, trial: Trial) -> float:
    """Return the mean time that a task held its slot."""
    events = campaign.table(trial, "events").to_pandas()
    at = events.pivot_table(index="task_id", columns="moment", values="at_ns")
    return float((at[4] - at[3]).mean() / 1e9)


def test_the_saturation_of_a_strategy_that_it_knows_nothing_of_is_found(tmp_path: Path) -> None:
    """How near, and in how many trials, depends on the machine: `test_search.py` tells without any noise."""
    done = blockpoint(
        *FIND,
        *(
            "--strategy",
            "semaphore/silent",
            "--duration",
            f"{DURATION_MS:g}ms",
            "--max-rate",
            "800",
            "--name",
            "semaphore",
        ),
        runs=tmp_path / "runs",
        python=installed(tmp_path / "installed", SLOTS),
    )
    assert done.returncode == code_for(tmp_path / "runs" / "semaphore"), done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "runs" / "semaphore")
    valid = [trial for trial in campaign.trials() if trial.valid]
    points = read_derived(campaign.folder).points
    (found,) = points[points["question"] == SATURATION].to_dict("records")
    truth = SLOTS / float(np.mean([service_s(campaign, trial) for trial in valid]))
    assert found["held_per_s"] < 1.2 * truth
    assert found["failed_per_s"] > truth / 1.2
    assert found["failed_per_s"] / found["held_per_s"] < 2
    assert re.search(r"semaphore/silent +sleep 40 ms", done.stdout)


def test_an_overloaded_trial_is_stopped_early_and_says_so(tmp_path: Path) -> None:
    done = blockpoint(
        *FIND,
        *(
            "--strategy",
            "threadpool/default",
            "--duration",
            "40ms",
            "--no-predict",
            "--seconds",
            "4",
            "--max-trials",
            "1",
        ),
        *("--max-rate", "600", "--name", "early"),
        runs=tmp_path,
    )
    campaign = open_campaign(tmp_path / "early")
    cut = [trial for trial in campaign.trials() if trial.stopped_early]
    assert cut, done.stdout
    for trial in cut:
        walked_s = (trial.load.steps[-1].to_ns - trial.load.steps[0].from_ns) / 1e9
        assert walked_s < trial.plan.seconds
        assert not any(reason.startswith(("interrupted", "errors")) for reason in trial.reasons)
        assert trial.accounts.unaccounted == 0
    assert "stopped early: " in done.stdout


def test_a_target_that_stops_answering_is_blocked_and_no_fault_of_the_generator(tmp_path: Path) -> None:
    """Of 600/s a hundred get in, so that 900 are in flight after 1.8 s, and by then have waited for 1.1 s."""
    asked = ["--strategy", "doorkeeper", "--duration", "0", "--max-rate", "600", "--seconds", "4"]
    done = blockpoint(
        *FIND,
        *asked,
        *("--max-trials", "1", "--name", "door"),
        runs=tmp_path / "runs",
        python=installed_doorkeeper(tmp_path / "installed"),
    )
    assert done.returncode == code_for(tmp_path / "runs" / "door"), done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "runs" / "door")
    overloaded = [trial for trial in campaign.trials() if trial.load.shed]
    assert overloaded, done.stdout
    assert not any(reason.startswith(("shed", "rate", "errors")) for t in overloaded for reason in t.reasons)
    points = read_derived(campaign.folder).points
    (found,) = points[points["question"] == BLOCKING].to_dict("records")
    assert found["failed_per_s"] <= 600
    assert (found["by"], found["wider_because"]) == ("accept", "time or trials ran out")


def test_an_interrupted_search_goes_on_where_it_stood(tmp_path: Path) -> None:
    asked = ["--strategy", "background_tasks/default", "--duration", "100ms", "--name", "cut"]
    running = started(*FIND, *asked, runs=tmp_path)
    trials = tmp_path / "cut" / "trials"
    try:
        assert eventually(lambda: trials.exists() and any(trials.glob("0001-*")))
    finally:
        running.send_signal(signal.SIGINT)
        out, _ = running.communicate(timeout=LIMIT_S)
    assert running.returncode == 130, out
    assert eventually(lambda: not families(tmp_path))
    sealed = {trial.plan.trial_id for trial in open_campaign(tmp_path / "cut").trials()}
    done = blockpoint("find", "--resume", "cut", "--max-trials", "2", *QUIET, runs=tmp_path)
    assert done.returncode == code_for(tmp_path / "cut"), done.stdout + done.stderr
    after = [trial.plan for trial in open_campaign(tmp_path / "cut").trials()]
    assert sealed < {plan.trial_id for plan in after}
    assert len({plan.rate_per_s for plan in after}) == len({plan.trial_id for plan in after})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--profile", "quik"], "quick"),
        (["--strategy", "celry"], "celery"),
        (["--resume", "nothing-there"], "no campaign"),
        (["--precision", "1"], "precision"),
    ],
)
def test_what_cannot_be_searched_is_one_clear_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = blockpoint("find", *arguments, runs=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
