"""Runs the benchmarks, all or those named, one after the other: `python -m benchmarks [NAME ...]`."""

import subprocess
import sys

NAMES = ("generator", "coordinated_omission", "recording", "analysis", "verdicts", "search")


def main() -> int:
    """Run them; returns 1 where one of them could not or missed its goal, 2 for an unknown name."""
    unknown = set(sys.argv[1:]) - set(NAMES)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in sys.argv[1:] or NAMES:
        print(f"\n# {name}", flush=True)
        failed |= subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
