from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.openloop.address import resolve
from loadtests.openloop.options import COMMON, Option, read
from loadtests.openloop.scenario import REGISTER_PATH, Scenario, task_fields
from loadtests.openloop.schedule import PlannedStep
from results.errors import BlockpointError


def test_defaults_are_within_their_own_ranges() -> None:
    settings = read(COMMON, SimpleNamespace())
    assert settings.rate == 50.0
    assert settings.max_in_flight == 900


@pytest.mark.parametrize(
    ("name", "given_"),
    [
        ("rate", 0),
        ("rate", float("nan")),
        ("seconds", -1),
        ("kind", "sleeep"),
        ("duration_ms", 60_001),
        ("payload_bytes", "many"),
        ("payload_bytes", None),
        ("fail_first", 11),
        ("poison", "arsenic"),
        ("poison_every", 0),
        ("poison_every", 1),
        ("poison_kills", 4),
        ("close_early_every", 1),
        ("close_early_every", -1),
        ("close_early_every", 1_001),
        ("warm_up", 1.0),
        ("mix", 1),
        ("mix", -10),
        ("mix", 1_001),
    ],
)
def test_a_bad_value_gives_one_line_that_names_the_option(name: str, given_: object) -> None:
    with pytest.raises(BlockpointError, match=f"--{name.replace('_', '-')}") as caught:
        read(COMMON, SimpleNamespace(**{name: given_}))
    assert "\n" not in str(caught.value)


def test_a_drills_options_are_off_until_asked_for() -> None:
    settings = read(COMMON, SimpleNamespace())
    assert (settings.poison, settings.poison_every, settings.poison_kills) == ("", 5, 1)
    assert settings.close_early_every == 0
    assert read(COMMON, SimpleNamespace(close_early_every="0")).close_early_every == 0


def test_an_unknown_poison_is_told_the_known_ones() -> None:
    with pytest.raises(BlockpointError, match=r"'arsenic' is not one of raise, kill$"):
        read(COMMON, SimpleNamespace(poison="arsenic"))


@pytest.mark.parametrize("parts", ["smtp", "smtp,http,fax", "smtp,http,cache,cpu", ","])
def test_a_registration_has_three_parts_of_known_kinds(parts: str) -> None:
    scenario = Scenario("x", lambda s: [PlannedStep(s.seconds, s.rate, 0)], path=REGISTER_PATH)
    with pytest.raises(BlockpointError, match=r"--parts: .* is not 3 of sleep, http"):
        scenario.plan(read(COMMON, SimpleNamespace(parts=parts)))


def test_what_is_no_registration_has_no_parts() -> None:
    scenario = Scenario("x", lambda s: [PlannedStep(s.seconds, s.rate, 0)])
    with pytest.raises(BlockpointError, match="--parts: only a registration"):
        scenario.plan(read(COMMON, SimpleNamespace(parts="smtp,http,cache")))


def test_a_registration_says_what_its_tasks_are() -> None:
    settings = read(COMMON, SimpleNamespace(parts="smtp,http,cache"))
    assert task_fields(settings, 5.0, REGISTER_PATH)["parts"] == ["smtp", "http", "cache"]
    assert task_fields(read(COMMON, SimpleNamespace()), 5.0, REGISTER_PATH)["parts"] is None


@given(st.floats(0.01, 100_000))
def test_a_web_form_may_give_numbers_as_text(rate: float) -> None:
    assert read(COMMON, SimpleNamespace(rate=str(rate))).rate == pytest.approx(rate)


def test_a_settings_object_has_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        _ = read([Option("a", 1, "")], SimpleNamespace()).b


def test_a_schedule_that_no_memory_could_hold_is_refused() -> None:
    settings = read(COMMON, SimpleNamespace(rate=100_000, seconds=86_400))
    scenario = Scenario("x", lambda s: [PlannedStep(s.seconds, s.rate, 0)])
    with pytest.raises(BlockpointError, match="more than"):
        scenario.plan(settings)


@pytest.mark.parametrize(
    "url", ["", None, "https://127.0.0.1", "http://127.0.0.1/path", "http://:1", "ftp://x"]
)
def test_a_host_that_is_not_plain_http_is_refused(url: str | None) -> None:
    with pytest.raises(BlockpointError):
        resolve(url)


def test_a_host_is_resolved_once() -> None:
    target = resolve("http://127.0.0.1:8000")
    assert target.sockaddr == ("127.0.0.1", 8000)
    assert target.authority == "127.0.0.1:8000"
