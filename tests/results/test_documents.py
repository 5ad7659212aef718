"""Documents are written whole or not at all, and read strictly or refused in one line."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from results.base import SCHEMA, Versioned
from results.documents import read_document, read_sealed, write_document
from results.errors import BlockpointError, unknown
from results.schema import Manifest, Trial
from results.sums import seal

from .conftest import MANIFEST, trial

FUZZ = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
GOOD = msgspec.json.format(msgspec.json.encode(MANIFEST), indent=1)


def refusal(path: Path, kind: type[Manifest] | type[Trial] = Manifest) -> str:
    with pytest.raises(BlockpointError) as caught:
        read_document(path, kind)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None, "another would be shown"
    line = str(caught.value)
    assert "\n" not in line
    assert str(path) in line
    return line


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_document(path, MANIFEST)
    assert read_document(path, Manifest) == MANIFEST
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]
    assert "ünïcode" in path.read_text(encoding="utf-8")


def test_a_flipped_digit_of_a_sealed_document_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_document(path, MANIFEST)
    with pytest.raises(BlockpointError, match="no checksum stands beside"):
        read_sealed(path, Manifest)
    seal(tmp_path, ["manifest.json"])
    assert read_sealed(path, Manifest) == MANIFEST
    whole = path.read_bytes()
    assert b"1234.5" in whole
    path.write_bytes(whole.replace(b"1234.5", b"1234.4"))
    with pytest.raises(BlockpointError, match="not the bytes that were sealed"):
        read_sealed(path, Manifest)


def of_format_1(document: Manifest) -> bytes:
    """Return a document as this version's predecessor wrote it: its checksum within."""
    body = msgspec.json.encode(msgspec.structs.replace(document, schema=1))
    return b'{"crc32":"%08x",' % zlib.crc32(body) + body[1:]


def test_format_1_is_read_with_the_checksum_that_it_holds_or_without(tmp_path: Path) -> None:
    path, old = tmp_path / "manifest.json", msgspec.structs.replace(MANIFEST, schema=1)
    for text in (of_format_1(old), msgspec.json.format(of_format_1(old), indent=4), msgspec.json.encode(old)):
        path.write_bytes(text)
        assert read_sealed(path, Manifest) == old
    path.write_bytes(of_format_1(old).replace(b"1234.5", b"1234.4"))
    assert "not what was written" in refusal(path)


def test_writing_again_replaces_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_document(path, MANIFEST)
    shorter = msgspec.structs.replace(MANIFEST, campaign="b", plans=[], subjects=[])
    write_document(path, shorter)
    assert read_document(path, Manifest) == shorter


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_document_and_no_debris(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "manifest.json"
    write_document(path, MANIFEST)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync", full) if step == "fsync" else (Path, "replace", full)))
        with pytest.raises(BlockpointError, match="No space left on device"):
            write_document(path, msgspec.structs.replace(MANIFEST, campaign="b"))
    assert read_document(path, Manifest) == MANIFEST
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


def test_a_killed_writer_leaves_what_was_there(tmp_path: Path) -> None:
    """Dying at any moment before the rename leaves the half-written text under another name."""
    path = tmp_path / "manifest.json"
    write_document(path, MANIFEST)
    child = os.fork()
    if child == 0:
        os.fsync = lambda _: os._exit(9)
        write_document(path, msgspec.structs.replace(MANIFEST, campaign="b"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert read_document(path, Manifest) == MANIFEST
    write_document(path, MANIFEST)
    assert [p.name for p in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "odd",
    [
        lambda value: msgspec.structs.replace(MANIFEST, limit_ms=value),
        lambda value: msgspec.structs.replace(MANIFEST, calibration={"cpu": value}),
        lambda value: msgspec.structs.replace(MANIFEST, environment={"host": {"load": [1.0, value]}}),
        lambda value: msgspec.structs.replace(trial({}), ceiling_per_s=value),
    ],
    ids=["a number", "a number in a dictionary", "a number of no fixed type", "a number or none"],
)
def test_what_is_not_finite_is_not_written(
    tmp_path: Path, odd: Callable[[float], Versioned], value: float
) -> None:
    """JSON has no word for it: it would become `null`, which is another value or no number at all."""
    path = tmp_path / "document.json"
    path.write_text("what was there before")
    with pytest.raises(BlockpointError, match=r"not written.* is no finite number") as caught:
        write_document(path, odd(value))
    assert "\n" not in str(caught.value)
    assert path.read_text() == "what was there before"


@pytest.mark.parametrize(
    "changes",
    [{"limit_ms": -1.0}, {"limit_ms": 1e308}, {"seed": 2**70}, {"profile": "\udcff"}, {"jobs": 0}],
    ids=str,
)
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "manifest.json"
    with pytest.raises(BlockpointError, match="could not be read again"):
        write_document(path, msgspec.structs.replace(MANIFEST, **changes))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_through_a_link_that_somebody_has_put_there(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / ".manifest.json.partial").symlink_to(precious)
    write_document(tmp_path / "manifest.json", MANIFEST)
    assert precious.read_text() == "precious"
    assert read_document(tmp_path / "manifest.json", Manifest) == MANIFEST


def test_what_is_no_regular_file_or_has_no_end_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    for spoil, says in (
        (lambda: os.mkfifo(path), "not a regular file"),
        (lambda: path.symlink_to("/dev/zero"), "not a regular file"),
        (lambda: path.symlink_to(path), "symbolic links"),
        (lambda: path.touch() or os.truncate(path, 2**40), "longer than"),
    ):
        spoil()
        assert says in refusal(path)
        path.unlink()


def test_a_missing_document_asks_whether_this_is_a_campaign(tmp_path: Path) -> None:
    assert "is this a campaign?" in refusal(tmp_path / "manifest.json")
    (tmp_path / "folder.json").mkdir()
    assert "cannot be read" in refusal(tmp_path / "folder.json")


@pytest.mark.parametrize(
    ("what", "text", "says"),
    [
        ("nothing", b"", "truncated"),
        ("not JSON", b"PK\x03\x04 a zip file", "not a Blockpoint document"),
        ("not UTF-8", b'{"schema": 2, "campaign": "\xe9"}', "damaged or foreign"),
        ("a bare value", b"null", "not a Blockpoint document"),
        ("somebody else's JSON", b'{"name": "left-pad", "version": "1.3.0"}', "not a Blockpoint document"),
        ("a schema that is no number", b'{"schema": "https://json-schema.org"}', "not a Blockpoint document"),
        ("a schema below the first", GOOD.replace(b'"schema": 2', b'"schema": 0'), "no format 0"),
        ("brackets too deep to follow", b'{"a":' + b"[" * 100_000, "not a Blockpoint document"),
        (
            "too deep a setting",
            GOOD.replace(b"1234.5", b"[" * 5000 + b"]" * 5000),
            "not a Blockpoint document",
        ),
        ("a number of 5,000 digits", b'{"schema": ' + b"9" * 5000 + b"}", "not a Blockpoint document"),
        ("a field too many", GOOD.replace(b'"loop"', b'"lo\\nop": 1, "loop"'), "unknown field"),
        ("a field too few", GOOD.replace(b'"profile": "smoke",', b""), "profile"),
        ("a wrong type", GOOD.replace(b'"seed": 7', b'"seed": "7"'), "seed"),
    ],
)
def test_what_is_not_a_document_is_refused_in_one_line(
    tmp_path: Path, what: str, text: bytes, says: str
) -> None:
    assert text != GOOD, what
    path = tmp_path / "manifest.json"
    path.write_bytes(text)
    assert says in refusal(path)


def test_a_newer_format_asks_for_an_upgrade_whatever_else_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(b'{"schema": %d, "shape": ["nobody", "knows"]}' % (SCHEMA + 1))
    line = refusal(path)
    assert f"format {SCHEMA + 1}" in line
    assert "upgrade" in line


def test_one_kind_of_document_is_not_read_as_another(tmp_path: Path) -> None:
    write_document(tmp_path / "trial.json", trial({}))
    assert "damaged or foreign" in refusal(tmp_path / "trial.json", Manifest)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    for length in range(0, len(GOOD.rstrip()), 7):
        path.write_bytes(GOOD[:length])
        refusal(path)


@FUZZ
@given(data=st.data())
def test_changed_bytes_give_a_document_or_a_refusal(tmp_path: Path, data: st.DataObject) -> None:
    """No bytes make the reader raise anything else, and what it accepts can be written again."""
    text = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4), label="changes")):
        at = data.draw(st.integers(0, len(text) - 1), label="at")
        text[at : at + data.draw(st.integers(0, 3), label="drop")] = data.draw(
            st.binary(max_size=3), label="put"
        )
    path = tmp_path / "manifest.json"
    path.write_bytes(text)
    read_or_refused(path)


@FUZZ
@given(
    text=st.binary(max_size=200) | st.text(alphabet='{}[]":,0123456789.eE-+\\untrfals schema', max_size=200)
)
def test_arbitrary_bytes_give_a_document_or_a_refusal(tmp_path: Path, text: bytes | str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    read_or_refused(path)


def read_or_refused(path: Path) -> None:
    try:
        document = read_document(path, Manifest)
    except BlockpointError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return
    again = path.with_name("again.json")
    write_document(again, document)
    assert msgspec.json.encode(read_document(again, Manifest)) == msgspec.json.encode(document)


def test_an_unknown_name_gets_its_neighbour_or_the_list() -> None:
    assert str(unknown("strategy", "cellery", ["celery", "arq"])) == (
        "there is no strategy 'cellery'; did you mean 'celery'?"
    )
    assert (
        str(unknown("strategy", "zzz", ["celery", "arq"])) == "there is no strategy 'zzz'; known: arq, celery"
    )
