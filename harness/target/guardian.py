"""Kills a family's processes when the harness is gone, however it went.

Run as `python -m harness.target.guardian MARKER FOLDER` with a pipe from the harness as standard
input, which says `+PID` for each child that was started and `-PID` for one that was ended.
"""

import contextlib
import shutil
import signal
import sys

from harness.target.kin import Kin


def main() -> None:
    """Take note of the children until the pipe's end, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    marker, folder = sys.argv[1:]
    kin = Kin(marker)
    for line in sys.stdin:
        with contextlib.suppress(ValueError):  # the harness went while it wrote
            note = kin.add if line[0] == "+" else kin.drop
            note(int(line[1:]))
    kin.kill()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
