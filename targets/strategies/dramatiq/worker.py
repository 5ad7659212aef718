"""Runs dramatiq's workers with what it reads from the environment alone, and before it is imported."""

import os
import sys

WORKER_TIMEOUT_MS = 50


def main() -> int:
    """Run `dramatiq` with this process's arguments."""
    os.environ["dramatiq_worker_timeout"] = str(WORKER_TIMEOUT_MS)  # noqa: SIM112 -- its own spelling
    from dramatiq.cli import main as work

    return int(work())


if __name__ == "__main__":
    sys.exit(main())
