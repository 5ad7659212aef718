import pytest

from .inside import inside


@pytest.mark.parametrize(
    ("arguments", "unheeded"),
    [
        (["find", "--precision", "1.05", "--max-trials", "3"], "--precision"),
        (["find", "--strategy", "celery", "--seconds", "9"], "--strategy, --seconds"),
        (["find", "--budget", "60", "--attempts", "5", "--no-report"], ""),
        (["run", "--seed", "4", "--rate", "9", "--slots", "2"], "--rate, --seed, --slots"),
        (["find", "-f", "service.toml", "--i-own", "host", "--max-requests", "900", "--json"], ""),
        (["run", "--quiet-wait", "0", "--max-foreign-cores", "2"], ""),
        (["drill", "kill-web", "--jobs", "2"], "names, --jobs"),
        (["check", "--pairs", "4", "--anyio-tokens", "9"], "--pairs, --anyio-tokens"),
    ],
)
def test_what_a_resumed_campaign_does_not_heed_is_said(
    arguments: list[str],
    unheeded: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = inside(monkeypatch, capsys, *arguments, "--resume", "x")
    *notes, error = done.err.splitlines()
    assert notes == [f"note: {unheeded} has no effect: x goes on as it was begun"] * bool(unheeded)
    assert error.startswith("error: ")
