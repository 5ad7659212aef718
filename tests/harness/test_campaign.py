import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.report.notebook_sources import names
from analysis.trials.derive import derive
from harness.campaign.progress import result
from harness.target.broker import free_port
from results.store import Campaign, open_campaign
from results.terms import Moment, Outcome

from .blockpoint import (
    LIMIT_S,
    QUIET,
    blockpoint,
    environment,
    eventually,
    families,
    python_with,
    started,
)

pytestmark = pytest.mark.e2e

SMALL = ["run", "--profile", "smoke", "--duration", "20ms", "--rate", "60", "--seconds", "1", *QUIET]


def check_sealed(campaign: Campaign) -> None:
    """Client, ledger and broker agree to the task, in every trial."""
    for trial in campaign.trials():
        accounts = trial.accounts
        assert (accounts.unaccounted, accounts.strangers, accounts.finished_twice) == (0, 0, 0)
        assert accounts.finished + accounts.in_service + accounts.waiting == accounts.accepted
        requests = campaign.table(trial, "requests")
        outcome = np.asarray(requests["outcome"].to_numpy())
        assert requests.num_rows == trial.load.scheduled
        assert int((outcome == Outcome.ACCEPTED).sum()) == trial.load.accepted
        events = campaign.table(trial, "events")
        moments = np.asarray(events["moment"].to_numpy())
        assert int((moments == Moment.FINISHED).sum()) == accounts.finished
        resources = campaign.table(trial, "resources")
        roles = set(resources["role"].to_pylist())
        brokered = () if trial.plan.subject.startswith("background") else ("broker", "stored", "worker")
        # the sampler gives way to everything: where a core is never free it sees nothing, and that is said
        blind = any(reason.startswith("noise: nobody saw") for reason in trial.reasons)
        assert roles == {"web", "generator", "harness", "other", "steal", *brokered} or (blind and not roles)
        figures = r"accept (p99|max) [\d.,]+ ms( of \d+)? · /ping (max )?[\d.,]+ ms"
        assert re.search(figures, result(campaign, trial))


def test_a_campaign_is_measured_reported_and_resumed(tmp_path: Path) -> None:
    subjects = ("background_tasks/default", "arq/tuned", "celery/tuned")
    strategies = [word for subject in subjects for word in ("--strategy", subject)]
    done = blockpoint(*SMALL, *strategies, "--name", "small", runs=tmp_path)
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode in (0, 1), done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "small")
    assert len(campaign.trials()) == 3
    assert {trial.plan.subject for trial in campaign.trials()} == set(subjects)
    check_sealed(campaign)
    assert not (tmp_path / "small" / "report" / "notebooks").exists()
    reported = blockpoint("report", "small", "--notebooks", runs=tmp_path)
    assert reported.returncode == 0, reported.stderr
    page = (tmp_path / "small" / "report" / "index.html").read_text()
    assert all(subject.replace("/", " · ") in page for subject in subjects)
    notebooks = list((tmp_path / "small" / "report" / "notebooks").glob("*.ipynb"))
    assert {path.stem for path in notebooks} == set(names("trials"))
    assert all('"image/' in notebook.read_text() for notebook in notebooks)
    again = blockpoint(*SMALL, "--resume", "small", runs=tmp_path)
    assert "0 trials" in again.stdout
    assert len(open_campaign(tmp_path / "small").trials()) == 3
    taken = blockpoint(*SMALL, *strategies, "--name", "small", runs=tmp_path)
    assert taken.returncode == 2
    assert "already exists" in taken.stderr
    assert families(tmp_path) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_campaign_leaves_nothing_behind_and_goes_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    arguments = [*SMALL, "--strategy", "arq/tuned", "--rate", "30", "--rate", "90"]
    running = started(*arguments, "--name", "cut", runs=tmp_path, TMPDIR=str(temporary))
    trials = tmp_path / "cut" / "trials"
    assert eventually(lambda: len(list(trials.glob("0*"))) >= 1)
    assert eventually(lambda: len(list(trials.glob(".partial*/logs/generator.log"))) == 1)
    assert len(families(tmp_path)) == len(list(temporary.iterdir())) == 1
    running.send_signal(number)
    output, _ = running.communicate(timeout=LIMIT_S)
    expected = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert running.returncode == expected
    assert "Traceback" not in output
    how = {signal.SIGINT: "interrupted: ", signal.SIGTERM: "ended by SIGTERM: "}.get(number)
    last = output.splitlines()[-1]
    if how:
        assert re.fullmatch(
            rf"{how}[12] sealed trials of {trials.parent} are kept; go on with --resume cut", last
        )
    assert eventually(lambda: not families(tmp_path))
    assert eventually(lambda: not list(temporary.iterdir()))
    sealed = {path.name: path.stat().st_mtime_ns for path in trials.glob("0*/trial.json")}
    resumed = blockpoint(*arguments, "--resume", "cut", runs=tmp_path)
    assert resumed.returncode in (0, 1), resumed.stdout + resumed.stderr
    campaign = open_campaign(tmp_path / "cut")
    assert {trial.plan.trial_id for trial in campaign.trials()} == {
        p.trial_id for p in campaign.manifest.plans
    }
    assert sealed.items() <= {p.name: p.stat().st_mtime_ns for p in trials.glob("0*/trial.json")}.items()
    assert not list(trials.glob(".partial*"))
    check_sealed(campaign)


def test_a_campaign_has_one_writer_and_says_who_measured_beside_it(tmp_path: Path) -> None:
    """Whoever would go on with a campaign that runs is told so, and another's trials name it."""
    one, other = tmp_path / "one", tmp_path / "other"
    rates = [word for rate in range(20, 50) for word in ("--rate", str(rate))]
    grid = ["run", "--profile", "smoke", "--duration", "20ms", "--seconds", "1"]
    grid += ["--strategy", "background_tasks/default"]
    running = started(*grid, *rates, *QUIET, "--name", "x", runs=one)
    try:
        trials = one / "x" / "trials"
        assert eventually(lambda: len(list(trials.glob("0*"))) >= 1, 60)
        staged = {path.name for path in trials.iterdir()}
        for command in ("run", "find", "check", "drill"):
            refused = blockpoint(command, "--resume", "x", runs=one)
            assert refused.returncode == 2
            (line,) = [line for line in refused.stderr.splitlines() if line.startswith("error: ")]
            assert f"process {running.pid} is adding to this campaign" in line
        assert staged - {path.name for path in trials.iterdir()} <= {n for n in staged if n.startswith(".")}
        assert len(derive(one / "x").summary) >= 1
        beside = blockpoint(*SMALL, *grid[-2:], "--name", "y", runs=other)
        assert f"campaign x (pid {running.pid}) is measuring on this machine" in beside.stderr
        assert running.poll() is None
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    for trial in open_campaign(other / "y").trials():
        assert trial.noise
        assert f"campaign x (pid {running.pid})" in trial.noise.company
        assert not any(reason.startswith("noise: campaign") for reason in trial.reasons)
    named = [trial.noise.company for trial in open_campaign(one / "x").trials() if trial.noise]
    assert any("campaign y" in " ".join(company) for company in named)
    check_sealed(open_campaign(one / "x"))


def test_an_overloaded_target_is_cut_off_and_every_task_is_found(tmp_path: Path) -> None:
    """One slot cannot do half a second of work sixty times a second: the rest must be in the broker."""
    load = ["--duration", "500ms", "--rate", "60", "--seconds", "1", "--slots", "1"]
    arguments = ["run", "--profile", "smoke", "--strategy", "celery/tuned", *load, *QUIET]
    done = blockpoint(*arguments, "--name", "over", runs=tmp_path)
    campaign = open_campaign(tmp_path / "over")
    (trial,) = campaign.trials()
    assert not trial.drained, done.stdout
    assert trial.accounts.waiting > 0
    assert trial.accounts.unaccounted == 0


def test_a_worker_that_dies_at_its_start_is_shown_with_its_last_words(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "broken-1.dist-info").mkdir(parents=True)
    (package / "broken.py").write_text(
        "from targets.strategies.inline import Inline\n"
        "from targets.strategy import Definition, Variant\n"
        "class Broken(Inline):\n"
        "    workers = [['broken_worker']]\n"
        "definition = Definition('broken', 'dies', {'default': Variant('dies', Broken)})\n"
    )
    (package / "broken_worker.py").write_text("raise SystemExit('the licence has expired')\n")
    info = package / "broken-1.dist-info"
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[blockpoint.strategies]\nbroken = broken:definition\n")
    python = python_with(tmp_path / "venv", package)
    done = blockpoint(*SMALL, "--strategy", "broken", "--name", "x", runs=tmp_path / "runs", python=python)
    output = done.stdout + done.stderr
    assert done.returncode == 2
    assert "the worker process of broken/default exited at once with code 1" in output
    assert "the licence has expired" in output
    assert "Traceback" not in output


def test_a_served_target_can_be_loaded_by_hand(tmp_path: Path) -> None:
    port = str(free_port())
    running = started("serve", "celery", "tuned", "--port", port, runs=tmp_path)
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    assert f"locust -f loadtests/steady.py --headless --host http://127.0.0.1:{port}" in "".join(lines)
    refused = blockpoint("serve", "inline", "--port", port, runs=tmp_path)
    assert refused.returncode == 2
    assert "choose another with --port" in refused.stderr
    os.killpg(running.pid, signal.SIGINT)
    assert running.wait(LIMIT_S) == 0
    running.stdout.close()
    assert eventually(lambda: not families(tmp_path))


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGINT, 0, "taking it down"),
        (signal.SIGTERM, 143, "ended by SIGTERM: nothing was left running"),
        (signal.SIGHUP, 129, "ended by SIGHUP: nothing was left running"),
    ],
)
def test_a_target_served_in_the_background_of_a_script_can_be_told_to_end(
    tmp_path: Path, number: signal.Signals, code: int, says: str
) -> None:
    """A shell starts `blockpoint serve ... &` with SIGINT ignored."""
    served = [sys.executable, "-m", "harness", "serve", "inline", "--port", str(free_port())]
    with subprocess.Popen(
        served,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # noqa: PLW1509 -- no other thread
    ) as running:
        assert running.stdout is not None
        try:
            while "Ctrl-C" not in (line := running.stdout.readline()):
                assert line
            running.send_signal(number)
            output, _ = running.communicate(timeout=30)
        finally:
            running.kill()
    assert running.returncode == code
    assert says in output.splitlines()  # a line that the signal interrupts may be written again after it
    assert "Traceback" not in output
    assert eventually(lambda: not families(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--strategy", "celerry"], "did you mean 'celery'"),
        (["run", "--strategy", "celery/tunde"], "did you mean 'tuned'"),
        (["run", "--kind", "cpus"], "did you mean 'cpu'"),
        (["run", "--profile", "quikc"], "did you mean 'quick'"),
        (["run", "--rate", "0"], "0"),
        (["run", "--rate", "1e9"], "1000000000"),
        (["run", "--duration", "an hour"], "is not a duration"),
        (["find", "--slo-ms", "nan"], "is not a finite number"),
        (["run", "--duration", "2000s"], "to 60000 ms"),
        (["run", "--topology", "cloud"], "one-box"),
        (["run", "--cores", "wbe=0"], "did you mean 'web'"),
        (["run", "--resume", "nowhere"], "there is no campaign 'nowhere'"),
        (["run", "--name", "../up", "--strategy", "inline"], "cannot be a campaign's name"),
        (["run", "--name", "a\nb", "--strategy", "inline"], "'a\\nb' cannot be a campaign's name"),
        (["report", "a\nb"], "there is no campaign 'a\\nb'"),
        (["run", "--strategy", "arq", "--redis-url", "redis://127.0.0.1:1/0"], "no Redis answers"),
        (["report", "nowhere"], "there is no campaign 'nowhere'"),
        (["serve", "inlien"], "did you mean 'inline'"),
        (["serve", "inline", "tuned"], "variant of inline"),
        (["measure"], "No such command"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = blockpoint(*arguments, runs=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.lower().startswith("error")]
    assert len(errors) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_runs_nothing(tmp_path: Path) -> None:
    done = blockpoint("run", "--dry-run", runs=tmp_path)
    assert done.returncode == 0
    assert "trials of profile quick, about" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_help_needs_nothing_heavy() -> None:
    heavy = {"pandas", "fastapi", "celery", "locust", "matplotlib", "pyarrow"}
    code = f"import sys, harness.cli.main; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
