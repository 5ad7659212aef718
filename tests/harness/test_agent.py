"""Targets on another host: who may ask an agent, what it tells, and what is left where one is lost."""

import json
import platform
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from analysis.report.pages import _ahead, _generated, facts
from analysis.trials.derive import derive
from benchmarks.hosts import agent_process
from harness.agent import connection as asking
from harness.agent import messages as m
from harness.agent.agent import Agent
from harness.agent.connection import Connection, LostAgentError
from harness.agent.measurement import AgentMeasurement, reasons_for_clocks, worst
from harness.agent.observation import AgentObservation, both
from harness.agent.server import AgentServer, listening
from harness.agent.target import AgentTarget, started_by
from harness.agent.token import VARIABLE, agents_token, known_token, token_file
from harness.target import direct
from harness.target.cores import Pinning
from harness.target.lineage import alive
from harness.target.processes import Family
from harness.target.target import CACHE, Launch
from harness.trial.measurement import Limits
from results.columns import RESOURCES
from results.errors import BlockpointError
from results.findings import Noise, TargetHost
from results.schema import Plan
from results.store import open_campaign
from results.tables import Columns, read_table
from results.terms import Moment, Outcome
from targets.settings import Settings
from tests.harness.blockpoint import LIMIT_S, QUIET, environment, eventually
from tests.harness.hosts import network

TOKEN = "a token of sixteen or more"
RUN = [
    *("run", "--profile", "smoke", "--strategy", "background_tasks/default", "--kind", "sleep"),
    *("--duration", "10ms", "--rate", "60", "--repeats", "1", "--attempts", "1"),
    *("--topology", "one-box", "--seconds", "1", *QUIET),
]
TASK = {"kind": "sleep", "duration_ms": 1}
NEEDS = frozenset({CACHE})
"""its tasks may need Redis, which the strategy does not"""


@contextmanager
def agent(lease_s: float = 30.0) -> Iterator[tuple[Agent, Connection]]:
    """Give an agent in this process, and a connection to it."""
    server = AgentServer(("127.0.0.1", 0), TOKEN)
    own = Agent("127.0.0.1", lambda _: None, lease_s)
    url = f"http://127.0.0.1:{server.server_port}"
    with closing(own), listening(server, own), closing(Connection(url, TOKEN)) as ours:
        yield own, ours


@contextmanager
def target_of(ours: Connection, members: Family) -> Iterator[tuple[Launch, AgentTarget]]:
    """Give a target that an agent has started, and how it was to be."""
    launch = Launch(members, Pinning(), Settings(slots=4, cores=1), "asyncio", "h11", needs=NEEDS)
    about = ours.ask("about", m.Nothing(), m.About)
    with started_by(ours, about, launch, "background_tasks", "default") as target:
        yield launch, target


def test_who_has_another_token_learns_nothing() -> None:
    with agent() as (_, ours):
        with closing(Connection(ours.url, "another token of that length")) as stranger:
            for call in ("about", "clock", "end", "nothing"):
                with pytest.raises(BlockpointError, match="this is not the token of this agent") as refused:
                    stranger.ask(call, m.Nothing(), m.Nothing)
                assert "\n" not in str(refused.value)
        assert ours.ask("clock", m.Nothing(), m.Time).read_ns > 0


def test_another_release_is_refused_by_both_names(monkeypatch: pytest.MonkeyPatch) -> None:
    with agent() as (_, ours):
        own = asking.RELEASE
        monkeypatch.setattr(asking, "RELEASE", "9.9.9")
        with pytest.raises(BlockpointError, match=rf"Blockpoint {own}, and was asked by 9\.9\.9"):
            ours.ask("about", m.Nothing(), m.About)


@pytest.mark.parametrize(
    ("call", "question", "why"),
    [
        ("nothing", m.Nothing(), "there is no such call"),
        ("start", m.Nothing(), "not a question of ours"),
        ("check", m.Of(target="0" * 16), "it never ran here"),
        ("look", m.Look(wanted=m.Wanted(["slep"], {}), pinning={}), "did you mean 'sleep'"),
        ("look", m.Look(wanted=m.Wanted([], {}), pinning={"web": [4096]}), "core 4096 is not available"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_line(call: str, question: m.Message, why: str) -> None:
    with agent() as (_, ours), pytest.raises(BlockpointError, match=why):
        ours.ask(call, question, m.Nothing)


def test_where_no_agent_is_that_is_said() -> None:
    with agent() as (_, ours):
        pass
    with pytest.raises(LostAgentError, match=f"no agent answers at {ours.url}: connection refused"):
        ours.ask("about", m.Nothing(), m.About)
    for url in (
        "10.0.0.5:8700",
        "https://10.0.0.5:8700",
        "http://10.0.0.5",
        "http://10.0.0.5:8700/x",
        "http://a:b@c:1",
    ):
        with pytest.raises(BlockpointError, match="http://HOST:PORT"):
            Connection(url, TOKEN)


def test_a_token_is_made_once_and_is_its_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(BlockpointError, match=VARIABLE):
        known_token()
    made = agents_token()
    assert made.new
    assert token_file().stat().st_mode & 0o777 == 0o600
    assert agents_token() == (made.secret, False)
    assert known_token() == made.secret
    token_file().chmod(0o640)
    with pytest.raises(BlockpointError, match="others may read it"):
        known_token()
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(BlockpointError, match=f"{VARIABLE}: a token is at least 16"):
        agents_token()


def samples(*rows: tuple[int, str]) -> Columns:
    """Return a table of resources with these moments and roles."""
    columns = {
        name: np.zeros(len(rows), object if kind == "string" else kind) for name, kind in RESOURCES.items()
    }
    columns["at_ns"][:], columns["role"][:] = zip(*rows, strict=True) if rows else ((), ())
    return columns


def test_the_generators_samples_join_those_of_the_targets_host() -> None:
    there = samples((1, "web"), (1, "harness"), (1, "other"), (4, "web"))
    here = samples((2, "generator"), (2, "harness"), (2, "other"), (2, "steal"))
    joined = both(there, here)
    told = list(zip(joined["at_ns"].tolist(), joined["role"].tolist(), strict=True))
    assert told == [(1, "web"), (1, "other"), (2, "generator"), (2, "harness"), (4, "web")]
    assert both(there, samples()) is there


def test_of_two_hosts_noise_the_worse_counts_and_what_one_did_not_see_nobody_saw() -> None:
    one = Noise(quiet=True, waited_s=1, hiccup_p99_ms=0.1, hiccup_max_ms=2, foreign_cores=0.2, steal_cores=0)
    other = Noise(quiet=False, waited_s=2, hiccup_p99_ms=0.3, hiccup_max_ms=1, steal_cores=0.1)
    assert worst(one, other) == Noise(
        quiet=False, waited_s=3, hiccup_p99_ms=0.3, hiccup_max_ms=2, foreign_cores=None, steal_cores=0.1
    )


def test_a_clock_that_is_not_known_well_enough_spoils_a_trial() -> None:
    host = TargetHost(host="web-1", boot_id="", uncertainty_ns=1_200_000)
    assert reasons_for_clocks(host, 1.3) == []
    assert reasons_for_clocks(host, 1.2) == ["clocks: that of web-1 is known to 1.20 ms, limit 1.20 ms"]


@pytest.mark.e2e
def test_an_agent_tells_of_a_target_while_it_is_heard_and_its_clock_goes_on(
    members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with agent(lease_s=0) as (own, ours), target_of(ours, members) as (launch, target):
        observation = AgentObservation(launch, target, tmp_path)
        with observation.sampling([]):
            direct.post_json(f"{target.url}/tasks", {**TASK, "task_id": "1" * 16}, LIMIT_S)
            assert eventually(lambda: not observation.look() and observation.counts() == (1, 1))
        seen = observation.seen(drained=True)
        assert (seen.host and seen.host.joined, seen.spoilt) == (True, [])
        assert seen.events["task_id"].tolist() == [int("1" * 16, 16)] * len(seen.events)
        assert set(seen.events["moment"]) >= {Moment.ACCEPTED, Moment.FINISHED}

        observation = AgentObservation(launch, target, tmp_path)
        monkeypatch.setattr("harness.agent.agent.boot_id", lambda: "another boot")
        with observation.sampling([]):
            pass
        seen = observation.seen(drained=True)
        assert seen.host
        assert not seen.host.joined
        assert seen.spoilt[0].startswith("clocks: ")
        assert len(seen.events) == 0

        own.tend()
        with pytest.raises(BlockpointError, match="nothing was heard of"):
            target.check()
        with pytest.raises(OSError, match="refused"):
            target.identity()


@pytest.mark.e2e
def test_an_agent_that_dies_under_load_spoils_the_trial_and_leaves_nothing(
    members: Family, tmp_path: Path
) -> None:
    environ = environment(tmp_path, **{VARIABLE: TOKEN})
    (tmp_path / "logs").mkdir()
    plan = Plan(
        trial_id="0001",
        subject="background_tasks/default",
        kind="sleep",
        duration_ms=10,
        scenario="steady",
        rate_per_s=20,
        seconds=60,
        seed=1,
    )
    with (
        agent_process("127.0.0.1:0", environ) as (process, url),
        closing(Connection(url, TOKEN)) as ours,
        target_of(ours, members) as (launch, target),
    ):
        theirs = psutil.Process(process.pid).children(recursive=True)

        def strike() -> None:
            of_target = m.Of(target=target.name)
            if process.poll() is None and ours.ask("counts", of_target, m.Counted).begun > 5:
                process.kill()
                process.wait()

        limits = Limits(drain_s=2.0, foreign_cores=1024, quiet_wait_s=0)
        trial = AgentMeasurement(launch, target, plan, limits, strike).measure(tmp_path, 1)
    assert [each for each in trial.reasons if each.startswith(f"lost: no agent answers at {url}")]
    assert trial.target_host
    assert not trial.target_host.joined
    assert 0 < trial.accounts.accepted == trial.accounts.unaccounted
    assert read_table(tmp_path, "requests").num_rows == trial.load.scheduled
    assert read_table(tmp_path, "events").num_rows == 0
    assert eventually(lambda: not any(map(alive, theirs)))


@pytest.mark.e2e
def test_a_target_on_a_host_of_another_clock_is_measured_from_here(tmp_path: Path) -> None:
    environ = environment(tmp_path, **{VARIABLE: TOKEN})
    with network(0, 1000) as (here, there):
        inside = there.inside("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
        with agent_process(f"{there.address}:8700", environ, inside) as (_, url):
            done = subprocess.run(
                here.blockpoint(*RUN, "--agent", url, "--name", "far", "--json"),
                env=environ,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                check=False,
            )
    assert "could not be measured" not in done.stdout + done.stderr, done.stdout + done.stderr
    campaign = open_campaign(tmp_path / "far")
    (trial,) = campaign.trials()
    host = trial.target_host
    assert host is not None
    assert host.joined
    assert host.offset_ns / 1e9 == pytest.approx(1000, abs=1)
    assert host.boot_id != trial.boot_id == trial.load.boot_id
    assert not [reason for reason in trial.reasons if reason.startswith(("lost", "samples", "accounts"))]
    assert trial.accounts.finished == trial.accounts.accepted == trial.load.accepted > 20
    requests = campaign.table(trial, "requests").to_pandas().set_index("task_id")
    requests = requests[requests.outcome == Outcome.ACCEPTED]
    events = campaign.table(trial, "events").to_pandas()
    for moment, before in ((Moment.RECEIVED, requests.replied_ns), (Moment.FINISHED, trial.drained_ns)):
        at_ns = events[events.moment == moment].set_index("task_id").at_ns.reindex(requests.index)
        assert (at_ns >= requests.sent_ns - host.uncertainty_ns).all()
        assert (at_ns <= before + host.uncertainty_ns).all()
    resources = campaign.table(trial, "resources").to_pandas()
    assert {"web", "generator", "harness", "other"} <= set(resources.role)
    assert resources.at_ns.between(requests.sent_ns.min() - 5e9, trial.drained_ns).all()
    derived = derive(campaign.folder)
    trials = derived.summary
    conditions = dict(facts(derived.manifest, _generated(trials), _ahead(trials)))
    assert conditions["Agent"] == f"host {platform.node()} · address {url}"
    assert conditions["Clock of the agent's host"] == f"{host.offset_ns / 1e9:+,.4f} s"
    assert f"(clocks known to {host.uncertainty_ns / 1e6:.2f} ms)" in conditions["Generators"]
    told = json.loads(done.stdout)["conditions"]["agent"]
    assert (told["host"], told["address"], told["trials_not_joined"]) == (platform.node(), url, 0)
    assert told["clock_ahead_s"] == pytest.approx(host.offset_ns / 1e9)
