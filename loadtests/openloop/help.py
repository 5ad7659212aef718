"""Reads the locustfile of a command line early, so that Locust's help knows its options."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from locust.util.load_locustfile import load_locustfile


def announce(arguments: Sequence[str]) -> None:
    """Load the locustfile that `-f` names, if it is one of ours; anything else is left to Locust."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("-f", "--locustfile", default="")
    path = parser.parse_known_args(arguments)[0].locustfile
    try:
        ours = "loadtests.openloop" in Path(path).read_text(encoding="utf-8")
    except OSError:
        return
    if ours:
        load_locustfile(path)
