"""A broker's password does not end in a campaign, which is made to be shown, nor in an error."""

import secrets
from pathlib import Path

import pytest

from harness.broker import embedded_broker
from harness.pinning import Pinning
from harness.processes import Family
from results.errors import BlockpointError
from results.text import masked
from tests.harness.blockpoint import QUIET, blockpoint


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("redis://:secret@127.0.0.1:6379/9", "redis://***@127.0.0.1:6379/9"),
        ("rediss://me:p@ss:w0rd@host/0", "rediss://***@host/0"),
        (
            "--redis-url=redis://me:secret@host and http://a:b@c/d@e",
            "--redis-url=redis://***@host and http://***@c/d@e",
        ),
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("http://host/a@b", "http://host/a@b"),
        ("new.user@example.org", "new.user@example.org"),
    ],
)
def test_credentials_are_taken_out_of_urls(given: str, shown: str) -> None:
    assert masked(given) == str(BlockpointError(given)) == shown


@pytest.mark.e2e
def test_a_campaign_does_not_hold_the_password_of_its_broker(members: Family, tmp_path: Path) -> None:
    password = secrets.token_hex(12)
    with embedded_broker(members, tmp_path / "broker", Pinning()) as broker:
        broker.client.config_set("requirepass", password)
        url = broker.url.replace("//", f"//:{password}@")
        arguments = ["--strategy", "arq/tuned", "--rate", "5", "--duration", "1ms", "--seconds", "0.5"]
        arguments += ["--repeats", "1", "--attempts", "1", "--name", "secret", "--redis-url", url]
        done = blockpoint("run", "--profile", "smoke", *arguments, *QUIET, runs=tmp_path / "runs")
        files = [path for path in (tmp_path / "runs" / "secret").rglob("*") if path.is_file()]
        assert {"manifest.json", "trial.json"} <= {path.name for path in files}, done.stderr
        assert b"redis://***@127.0.0.1" in (tmp_path / "runs" / "secret" / "manifest.json").read_bytes()
        assert [path for path in files if password.encode() in path.read_bytes()] == []
        assert password not in done.stdout + done.stderr
    gone = blockpoint("run", *arguments, *QUIET, runs=tmp_path / "others")
    assert gone.returncode == 2
    assert "no Redis answers at redis://***@127.0.0.1" in gone.stderr
    assert password not in gone.stdout + gone.stderr
