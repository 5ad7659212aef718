"""Kills a family's processes when the harness is gone, however it went.

Run as `python -m harness.guardian MARKER FOLDER` with a pipe from the harness as standard input.
"""

import shutil
import signal
import sys

from harness.processes import kill_marked


def main() -> None:
    """Wait for the pipe's end, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    marker, folder = sys.argv[1:]
    sys.stdin.read()
    kill_marked(marker)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
