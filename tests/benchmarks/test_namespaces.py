"""The comparison of two hosts with the loopback: what is published of it, and where it cannot be made."""

import sys
from pathlib import Path

import pytest

from benchmarks import hosts
from benchmarks.namespaces import NAMES, compared, main
from results.store import open_campaign
from tests.harness.hosts import network

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "results" / "published"


def test_the_published_table_follows_from_the_published_campaigns() -> None:
    assert compared(PUBLISHED) in (ROOT / "docs" / "benchmarks.md").read_text()
    for name, (place, _) in NAMES.items():
        for trial in open_campaign(PUBLISHED / name).trials():
            assert (trial.target_host is not None) == (place == "agent")


def test_where_no_namespaces_are_it_is_skipped_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hosts, "MAKES", ("unshare", "--no-such-option"))
    monkeypatch.setattr(sys, "argv", ["namespaces", "--runs", str(tmp_path)])
    assert main() == 0
    _, said = capsys.readouterr().out.splitlines()
    assert said.startswith("skipped: no network and time namespaces here: unshare: unrecognized option")
    assert not list(tmp_path.iterdir())


def test_a_network_that_cannot_be_impaired_as_asked_is_said_in_a_line() -> None:
    with network(0) as (host,), pytest.raises(hosts.AbsentError, match="no netem here") as refused:
        host.impair("delay nonsense")
    assert "\n" not in str(refused.value)
    assert "sch_netem" in str(refused.value)
