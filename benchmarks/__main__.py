"""Runs the benchmarks, all or those named, one after the other: `python -m benchmarks [NAME ...]`.

A single one takes options of its own: `python -m benchmarks NAME [OPTION ...]`.
"""

import subprocess
import sys

NAMES = (
    "generator",
    "coordinated_omission",
    "recording",
    "observe",
    "scraping",
    "many_generators",
    "namespaces",
    "analysis",
    "verdicts",
    "coverage",
    "stairs",
    "conditions",
    "kills",
    "attack",
    "comparisons",
    "holdouts",
    "campaign_fuzz",
)


def main() -> int:
    """Run them; returns 1 where one of them could not or missed its goal, 2 for an unknown name."""
    names, options = sys.argv[1:], []
    if len(names) > 1 and names[1].startswith("-"):
        names, options = names[:1], names[1:]
    unknown = set(names) - set(NAMES)
    if unknown:
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    failed = 0
    for name in names or NAMES:
        print(f"\n# {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        failed |= subprocess.run(command, check=False).returncode
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
