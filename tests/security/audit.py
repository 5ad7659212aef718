"""Ask for known vulnerabilities of every locked requirement: `python audit.py AUDITOR SERVICE FILE...`.

Exits with 0 only where each pin that applies here was looked up and nothing is known against it, with 1 where
something is, and with 2 where the question was not answered: no all-clear without an answer.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SHOWN = 8
"""packages without an answer that are named"""


def pins(file: Path) -> list[Requirement]:
    """Return the requirements of a locked file, without their hashes and pip's options."""
    lines = file.read_text().replace("\\\n", " ").splitlines()
    return [Requirement(line.split(" --hash")[0]) for line in lines if line and line[0] not in "#- "]


def audit(auditor: str, service: str, file: Path) -> int:
    """Audit one file, printing what was found; returns the exit code."""
    locked = pins(file)
    wanted = {canonicalize_name(pin.name) for pin in locked if pin.marker is None or pin.marker.evaluate()}
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [auditor, "--requirement", str(file), "--require-hashes", "--disable-pip"]
        command += ["--vulnerability-service", service, "--format", "json", "--output", str(answer)]
        command += ["--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        if not answer.exists():
            print(f"{file}: NOT AUDITED: {service} answered for 0 of {len(wanted)} packages: {said}")
            return 2
        dependencies = json.loads(answer.read_text())["dependencies"]
    answered = {canonicalize_name(entry["name"]) for entry in dependencies if "vulns" in entry}
    known = [(entry, fault) for entry in dependencies for fault in entry.get("vulns", ())]
    for entry, fault in known:
        fixed = ", ".join(fault["fix_versions"]) or "no version yet"
        print(f"{file}: {entry['name']} {entry['version']}: {fault['id']}, fixed in {fixed}")
    if missing := sorted(wanted - answered):
        some, more = missing[:SHOWN], len(missing) - SHOWN
        names = ", ".join(some) + (f" and {more} more" if more > 0 else "")
        found = len(wanted) - len(missing)
        print(
            f"{file}: NOT AUDITED: {service} answered for {found} of {len(wanted)} packages, not for {names}"
        )
        return 2
    others = len({canonicalize_name(pin.name) for pin in locked}) - len(wanted)
    print(
        f"{file}: {len(known)} known vulnerabilities in {len(wanted)} packages, each looked up at {service}; "
        f"{others} are for other platforms"
    )
    return 1 if known or done.returncode else 0


def main(arguments: list[str]) -> int:
    """Audit every file; returns the worst exit code."""
    auditor, service, *files = arguments
    return max(audit(auditor, service, Path(file)) for file in files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
