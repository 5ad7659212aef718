"""The audit never gives an all-clear for what was not looked up; a stand-in plays the service's answers."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.security.audit import audit, pins

ROOT = Path(__file__).parents[2]
LOCKED = [ROOT / name for name in ("requirements.txt", "tests/security/requirements.txt")]
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
    path.write_text(
        f"#!{sys.executable}\nimport sys\nassert '--strict' in sys.argv\n{body}\nsys.exit({code})\n"
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("answered", "expected", "words"),
    [
        ((CLEAR, 0), 0, "0 known vulnerabilities in 2 packages; 1 of other platforms"),
        (([{**CLEAR[0], "vulns": [FAULT]}, CLEAR[1]], 1), 1, "first 1.0: PYSEC-0, fixed in 1.1"),
        ((CLEAR[:1], 0), 2, "NOT AUDITED: third-part"),
        (([CLEAR[0], {"name": "third-part", "skip_reason": "not found"}], 0), 2, "NOT AUDITED: third-part"),
        (([], 0), 2, "NOT AUDITED: first, third-part"),
        (
            (None, 1),
            2,
            "NOT AUDITED, nothing is known about it (pypi did not answer for all): no route to host",
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
    assert not re.search(r"^\s*--(?!hash)|://", text, re.MULTILINE)
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pins(file))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_audit_covers_every_locked_file() -> None:
    recipe = (ROOT / "Makefile").read_text().split("\naudit:")[1].split("\n\n")[0]
    for file in ROOT.glob("**/requirements.txt"):
        if ".venv" not in file.parts:
            assert f" {file.relative_to(ROOT)}" in recipe
    assert "audit" not in (ROOT / ".ci" / "run").read_text()
