"""Runs every benchmark of the harness, one after the other: `python -m benchmarks`."""

import subprocess
import sys

NAMES = ("generator", "coordinated_omission", "recording", "analysis")


def main() -> int:
    """Run them; returns 1 where one of them could not."""
    failed = 0
    for name in NAMES:
        print(f"\n# {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
