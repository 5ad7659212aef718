"""The options as Locust's command line and web UI show them."""

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

from loadtests.openloop.options import Option


class _Show(argparse.Action):
    """Prints the options of a scenario and ends: Locust answers `--help` before it reads the locustfile."""

    def __init__(self, option_strings: Sequence[str], dest: str, *, text: str, **given: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, **given)
        self._text = text

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        print(self._text, end="")
        parser.exit()


def add_to(parser: Any, options: Sequence[Option], name: str, caption: str) -> None:
    """Add a group of options to Locust's parser; ranges are checked when the run begins."""
    group = parser.add_argument_group("Blockpoint")
    _add(group, options)
    show = group.add_argument(
        "--options",
        action=_Show,
        dest=argparse.SUPPRESS,
        text=_overview(options, name, caption),
        help="show the options of this scenario and exit",
    )
    _mark(show, in_web_ui=False)


def _overview(options: Sequence[Option], name: str, caption: str) -> str:
    parser = argparse.ArgumentParser(
        usage=f"locust -f {name}.py [options]",
        description=caption,
        epilog="Locust's own options: locust --help",
        add_help=False,
    )
    _add(parser.add_argument_group("options of this scenario"), options)
    return parser.format_help()


def _add(group: Any, options: Iterable[Option]) -> None:
    for option in options:
        help_ = option.help.replace("%", "%%")
        if isinstance(option.default, bool):
            action = group.add_argument(option.flag, action="store_true", default=option.default, help=help_)
        else:
            shown = f" ({option.default})" if option.default != "" else ""
            metavar = "<text>" if isinstance(option.default, str) else "<number>"
            if option.choices:
                metavar = "{" + ",".join(filter(None, option.choices)) + "}"
            action = group.add_argument(
                option.flag,
                type=type(option.default),
                choices=option.choices or None,
                default=option.default,
                metavar=metavar,
                help=help_ + shown,
            )
        _mark(action, in_web_ui=option.in_web_ui)


def _mark(action: Any, *, in_web_ui: bool) -> None:
    """Set what Locust asks of every action."""
    action.include_in_web_ui = in_web_ui
    action.is_secret = action.is_required = action.is_multiple = False
