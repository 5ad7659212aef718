"""A campaign whose load comes from other hosts: with addresses of their own, and clocks that are not ours."""

import platform
import subprocess
from pathlib import Path

import pytest

from analysis.report.pages import _generated, facts
from analysis.trials.derive import derive
from harness.target.fleet import Fleet
from results.errors import BlockpointError
from results.store import open_campaign
from results.terms import Moment
from tests.harness.blockpoint import LIMIT_S, QUIET, blockpoint, environment
from tests.harness.hosts import network

PORT = "5577"
RUN = [
    *("run", "--profile", "smoke", "--strategy", "background_tasks_async/default", "--kind", "sleep"),
    *("--duration", "10ms", "--rate", "60", "--seconds", "1", "--repeats", "1", "--attempts", "1"),
    *("--topology", "one-box", *QUIET),
]


@pytest.mark.e2e
def test_hosts_whose_clocks_are_ahead_and_behind_load_a_target_on_a_third(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    with network(0, 1000, -30) as (web, ahead, behind):
        address = f"{web.address}:{PORT}"
        loading = [
            subprocess.Popen(
                host.blockpoint("generator", "--master", address),
                env=environ,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for host in (ahead, behind)
        ]
        try:
            done = subprocess.run(
                web.blockpoint(*RUN, "--generators", f"2@{address}", "--name", "far"),
                env=environ,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
        finally:
            for host, each in zip((ahead, behind), loading, strict=True):
                host.end(each)
    assert "could not be measured" not in done.stdout + done.stderr, done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "far")
    assert (campaign.manifest.generators, campaign.manifest.generators_elsewhere) == (0, 2)
    trials = list(campaign.trials())
    assert trials
    for trial in trials:
        offsets_s = sorted(each.offset_ns / 1e9 for each in trial.load.generators)
        assert offsets_s == pytest.approx([-30, 1000], abs=1)
        assert not [reason for reason in trial.reasons if reason.startswith(("lost", "late", "interrupted"))]
        assert trial.accounts.unaccounted == trial.accounts.strangers == 0
    requests = campaign.table(trials[0], "requests").to_pandas().set_index("task_id")
    events = campaign.table(trials[0], "events").to_pandas()
    received = events[events.moment == Moment.RECEIVED].set_index("task_id").at_ns
    doubt_ns = max(each.uncertainty_ns for each in trials[0].load.generators)
    joined = requests.join(received, how="inner")
    assert len(joined) >= trials[0].load.accepted > 20
    assert (joined.at_ns >= joined.sent_ns - doubt_ns).all()
    assert (joined.at_ns <= joined.replied_ns + doubt_ns).all()


@pytest.mark.e2e
def test_two_generators_share_a_campaigns_load_and_its_page_says_so(tmp_path: Path) -> None:
    done = blockpoint(*RUN, "--processes", "2", "--name", "two", runs=tmp_path)
    assert "could not be measured" not in done.stdout + done.stderr, done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "two")
    assert (campaign.manifest.generators, campaign.manifest.generators_elsewhere) == (2, 0)
    (trial,) = campaign.trials()
    shares = [each.requests for each in trial.load.generators]
    assert len(shares) == 2
    assert min(shares) > 0
    assert {(each.offset_ns, each.uncertainty_ns) for each in trial.load.generators} == {(0, 0)}
    assert campaign.table(trial, "requests").num_rows == trial.load.scheduled
    conditions = dict(facts(campaign.manifest, _generated(derive(campaign.folder).summary)))
    assert conditions["Generators"] == f"2 on {platform.node()}"


@pytest.mark.parametrize(
    ("elsewhere", "processes", "fleet"),
    [
        ("", None, Fleet()),
        ("", 3, Fleet(3)),
        ("2@10.0.0.5:5557", None, Fleet(0, 2, "10.0.0.5", 5557)),
        ("2@load-1.example:5557", 1, Fleet(1, 2, "load-1.example", 5557)),
    ],
)
def test_generators_are_those_asked_for(elsewhere: str, processes: int | None, fleet: Fleet) -> None:
    assert Fleet.parse(elsewhere, processes) == fleet
    assert fleet.led == (fleet != Fleet())


@pytest.mark.parametrize(
    "text", ["10.0.0.5:5557", "0@10.0.0.5:5557", "2@10.0.0.5:0", "2@0.0.0.0:5", "2@[::]:5", "2@:5"]
)
def test_an_address_by_which_none_could_come_is_refused(text: str) -> None:
    with pytest.raises(BlockpointError, match="--generators"):
        Fleet.parse(text, None)
