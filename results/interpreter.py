"""What is to be known of the interpreter that runs this."""

import sys


def has_gil() -> bool:
    """Say whether only one thread runs Python at a time; a free-threaded build can have it either way."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())
