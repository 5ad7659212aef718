"""What the exit code of a command says."""

from typing import Final

DONE: Final = 0
FAULT: Final = 1
"""it was carried out, and something is wrong: a trial failed, a difference was found, a task is missing"""
ERROR: Final = 2
"""it could not be carried out, for a reason that is one line on standard error"""
UNANSWERED: Final = 3
"""`find` came to its end, and a point that was asked for is unfinished or could not be measured"""
INTERRUPTED: Final = 130
"""Ctrl-C; what was measured is kept"""
