"""No option of any command takes what is no finite number, whichever options there are."""

from collections.abc import Iterator
from types import SimpleNamespace

import click
import pytest

from harness.cli.main import blockpoint
from loadtests.openloop.options import COMMON, Option, read
from results.errors import BlockpointError

WORDS = (click.types.StringParamType, click.types.BoolParamType, click.Path)
UNREADABLE = ["nan", "-nan", "inf", "-inf", "Infinity", "1e999", "-1e999", "nanms", "infs", "9" * 5000]


def options() -> Iterator[tuple[str, click.Parameter]]:
    for name, command in blockpoint.commands.items():
        for option in command.params:
            if not isinstance(option.type, WORDS):
                yield f"{name} {option.opts[0]}", option


OPTIONS = dict(options())


def test_the_options_are_found() -> None:
    assert {"find --slo-ms", "run --quiet-wait", "check --fraction", "drill --jobs"} <= set(OPTIONS)


@pytest.mark.parametrize("given", UNREADABLE)
@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_what_is_not_finite_is_refused_in_one_line(name: str, given: str) -> None:
    option = OPTIONS[name]
    with pytest.raises((click.BadParameter, BlockpointError)) as refused:
        option.type.convert(given, option, None)
    assert "\n" not in str(refused.value)


def test_zero_is_a_duration_and_less_than_a_microsecond_is_not() -> None:
    duration = OPTIONS["run --duration"].type
    assert [duration.convert(text, None, None) for text in ("0", "0.001ms", "1.5s")] == [0, 0.001, 1500]
    for text in ("1e-4", "5e-324s"):
        with pytest.raises(click.BadParameter, match="is outside"):
            duration.convert(text, None, None)


@pytest.mark.parametrize(
    "option", [o for o in COMMON if type(o.default) in (int, float)], ids=lambda o: o.name
)
def test_the_generators_options_refuse_them_too(option: Option) -> None:
    for given in (*UNREADABLE, float("nan"), float("inf"), "9" * 400, 10**400):
        with pytest.raises(BlockpointError, match=option.flag) as refused:
            read([option], SimpleNamespace(**{option.name: given}))
        assert "\n" not in str(refused.value)
