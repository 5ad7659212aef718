"""The command, wherever its packages lie: in a checkout beside this one, installed beneath it.

Installed, they are in a folder of their own, so that a name such as `results` stays free in the environment
that they share with a service.
"""

import sys
from pathlib import Path


def main() -> None:
    """Run the command line."""
    rooms = Path(__file__).parent / "rooms"
    if rooms.is_dir():
        sys.path.insert(0, str(rooms))
    from harness.cli.main import main as run

    run()


if __name__ == "__main__":
    main()
