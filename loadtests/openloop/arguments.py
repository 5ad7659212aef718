"""The options as Locust's command line and web UI show them."""

from collections.abc import Iterable
from typing import Any

from loadtests.openloop.options import Option


def add_to(parser: Any, options: Iterable[Option]) -> None:
    """Add a group of options to Locust's parser; ranges are checked when the run begins."""
    group = parser.add_argument_group("Blockpoint")
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
        action.include_in_web_ui = option.in_web_ui
        action.is_secret = action.is_required = action.is_multiple = False
