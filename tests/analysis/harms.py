"""What can happen to a campaign's folder, by accident or on purpose, and what may then be made of it."""

import contextlib
import functools
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.charts.catalogue import catalogue
from analysis.charts.entry import Chart
from analysis.charts.style import to_svg
from analysis.drills.derive import derive_drills
from analysis.report.drill_pages import render_drills
from analysis.report.pages import render_page
from analysis.trials.derive import derive
from results.columns import TABLES
from results.errors import BlockpointError
from results.packing import pack
from results.schema import Service
from results.store import open_campaign
from results.sums import SUMS, seal, sums
from results.tables import _arrow_schema
from tests.analysis.synthetic import Cell, build
from tests.analysis.synthetic_drills import DrillCell, build_drills

LONGEST_LINE = 1000
MANIFEST = "manifest"
FIGURES = ("due", "accepted", "rejected", "unknown", "accept_p50_ms", "accept_p99_ms", "ping_p99_ms")
"""columns that follow from a trial's own files alone"""
TEXTS = ["", "\0", "ü\u202e\U0001f600", "../..", "/", "x" * 100_000, "nan", "a\nb\r\x1b[31m", "-f"]
NUMBERS: list[Any] = [0, -1, 1, 2**31, 2**53, 2**61, 2**63 - 1, -(2**63), 2**64, 10**30, 10**400]
NUMBERS += [0.5, -0.0, 1e308, -1e308, 1e-308, 5e-324, float("nan"), float("inf"), float("-inf")]
ODD: list[Any] = [None, True, *TEXTS, *NUMBERS, [], {}, [[]], ["\n"], {"": {}}]
WORDS = ["law", "kind", "scenario", "topology", "arrivals", "shares", "profile", "subject", "strategy"]
UNKNOWN = ["pool", "loop", "await", "poll", "fanout", "burst", "steady", "cpu", "sleep", "no such", "split"]


@dataclass(frozen=True)
class Done:
    """What a harm did."""

    words: str
    gone: frozenset[str] = frozenset()
    """trials that are not there any more"""
    told: frozenset[str] = frozenset()
    """trials, or `MANIFEST`, of which the folder may now tell otherwise, in a form like the true one"""
    certain: bool = False
    """it cannot but be refused"""


Harm = Callable[[Path, Random], Done]
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Whole:
    """A campaign before anything happens to it."""

    folder: Path
    read: Callable[[Path, bool], Tables]
    """makes everything of a folder, and draws its charts where asked to"""
    tables: Tables = field(default_factory=dict)

    @contextlib.contextmanager
    def copy(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as parent:
            yield Path(shutil.copytree(self.folder, Path(parent) / "copy"))

    def survives(self, folder: Path, done: Done, *, drawn: bool = False) -> bool:
        """Read a harmed copy; returns whether it was refused.

        Refused means one line. What is taken says of every trial that was left alone what the unharmed
        campaign says: all of it, or where the manifest tells otherwise what does not depend on it.
        """
        try:
            found = self.read(folder, drawn)
        except BlockpointError as error:
            assert "\n" not in str(error)  # noqa: PT017
            assert len(str(error)) < LONGEST_LINE  # noqa: PT017
            return True
        assert not done.certain, done.words
        for name, table in found.items():
            if "trial_id" in table:
                same(table, self.tables[name], done)
        return False


def same(table: pd.DataFrame, expected: pd.DataFrame, done: Done) -> None:
    theirs, ours = (rows[~rows["trial_id"].isin(done.told | done.gone)] for rows in (table, expected))
    if MANIFEST in done.told:
        columns = [name for name in FIGURES if name in ours]
        if not columns:  # which steps theory speaks of is for the manifest to say
            return
        theirs, ours = (rows[["trial_id", *columns]].sort_values("trial_id") for rows in (theirs, ours))
    pd.testing.assert_frame_equal(
        theirs.reset_index(drop=True), ours.reset_index(drop=True), check_dtype=False, obj=done.words
    )


def measured(folder: Path) -> Whole:
    """Make a campaign of measurements, under every law."""
    services = {law: Service(law=law, slots=4, poll_s=0.1, read_limit=20) for law in ("pool", "poll", "loop")}
    cells = [Cell("celery", [(rate, 1, 20)], service=services["pool"], workers=1) for rate in (30, 250)]
    cells += [Cell("threads", [(20, 0.5, 20), (90, 0.5, 20)], service=services["pool"], scenario="burst")]
    cells += [Cell("arq", [(40, 1, 20)], service=services["poll"], workers=1)]
    cells += [Cell("blocking", [(30, 1, 20)], service=services["loop"], suffers=("ping",), unanswered=0.1)]
    return whole(build(folder, cells)[0].folder, read_measured)


def drilled(folder: Path) -> Whole:
    """Make a campaign of drills."""
    cells = [
        DrillCell("kill-web", "background_tasks", then="loses", down=True, broker=False),
        DrillCell("kill-worker", "celery", then="hides"),
        DrillCell("poison-raise", "arq", poison="raise"),
    ]
    build_drills(folder, cells)
    return whole(folder, read_drilled)


def packed(folder: Path) -> Whole:
    """Make a campaign of measurements that is packed for keeping."""
    loose = measured(folder.with_name("loose"))
    pack(open_campaign(loose.folder), folder)
    return whole(folder, read_measured)


def whole(folder: Path, read: Callable[[Path, bool], Tables]) -> Whole:
    tables = read(folder, False)
    shutil.rmtree(folder / "derived")
    return Whole(folder, read, tables)


def read_measured(folder: Path, drawn: bool) -> Tables:
    found = derive(folder)
    assert render_page(found, [], [])
    draw(catalogue(found), drawn=drawn)
    return {"summary": found.summary, "predictions": found.predictions}


def read_drilled(folder: Path, drawn: bool) -> Tables:
    found = derive_drills(folder)
    assert render_drills(found, [])
    draw(catalogue(found), drawn=drawn)
    return {"trials": found.trials}


def draw(charts: list[Chart], *, drawn: bool) -> None:
    for chart in charts:
        if drawn and chart.draw:
            to_svg(chart.draw())


# Accidents: bytes and files that are not what they were.


def files(folder: Path, pattern: str = "*") -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def trials(folder: Path) -> list[Path]:
    return sorted((folder / "trials").iterdir())


def change_bytes(folder: Path, random: Random) -> Done:
    path = random.choice(files(folder))
    found = path.read_bytes()
    at, drop = random.randrange(len(found)), random.choice([0, 1, 1, 7, len(found)])
    put = random.choice([random.randbytes(random.randrange(5)), b"0", b"9", b"-", b"e9", b'"', b"\0" * 64])
    changed = found[:at] + put + found[at + drop :]
    path.write_bytes(changed)
    sealed = path.name != SUMS and changed != found
    return Done(f"{path.name}: {drop} bytes at {at} became {put!r}", certain=sealed)


def cut(folder: Path, random: Random) -> Done:
    path = random.choice(files(folder))
    os.truncate(path, random.randrange(path.stat().st_size - 1))
    return Done(f"{path.name} was cut", certain=True)


def rename(folder: Path, random: Random) -> Done:
    trial = random.choice(trials(folder))
    name = random.choice(["other", trial.name + ".2", "ü", "0 0", "-rf", "a\nb", "\x1b[31m"])
    trial.rename(trial.with_name(name))
    return Done(f"{trial.name} was renamed", certain=True)


def hide(folder: Path, random: Random) -> Done:
    trial = random.choice(trials(folder))
    trial.rename(trial.with_name(f".partial-{trial.name}"))
    return Done(f"{trial.name} was hidden", gone=frozenset({trial.name}))


def remove(folder: Path, random: Random) -> Done:
    trial = random.choice(trials(folder))
    shutil.rmtree(trial)
    return Done(f"{trial.name} was removed", gone=frozenset({trial.name}))


def remove_a_file(folder: Path, random: Random) -> Done:
    path = random.choice(files(folder))
    path.unlink()
    optional = path.parent.name == "logs"
    return Done(f"{path.name} was removed", certain=not optional)


def swap(folder: Path, random: Random) -> Done:
    one, other = random.choice(files(folder)), random.choice(files(folder))
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)
    return Done(f"{one} and {other} were swapped")


def swap_trials(folder: Path, random: Random) -> Done:
    one, other = random.choice(trials(folder)), random.choice(trials(folder))
    kept = folder / "kept"
    other.rename(kept)
    if one.exists():
        one.rename(other)
        kept.rename(one)
    else:
        kept.rename(other)
    return Done(f"{one.name} and {other.name} were swapped", certain=one != other)


def copy(folder: Path, random: Random) -> Done:
    trial = random.choice(trials(folder))
    name = random.choice(["copy", f"{trial.name}.2", f"{trial.name} (1)"])
    shutil.copytree(trial, folder / "trials" / name)
    return Done(f"{trial.name} was copied", certain=True)


def add(folder: Path, random: Random) -> Done:
    place = random.choice([folder, folder / "trials", random.choice(trials(folder))])
    names = [".DS_Store", "notes.txt", "requests.parquet.bak", "ünï", "Thumbs.db", ".lock", ".partial-x"]
    (place / random.choice(names)).write_bytes(random.randbytes(random.randrange(9)))
    return Done("a file was added")


def add_a_folder(folder: Path, random: Random) -> Done:
    places = [folder / "new", random.choice(trials(folder)) / "new", folder / "trials" / "new"]
    place = random.choice(places)
    place.mkdir()
    return Done("a folder was added", certain=place == places[-1])


# What is no file at all, or one without an end.


def link(folder: Path, random: Random) -> Done:
    trial = random.choice(trials(folder))
    path = random.choice([*files(folder), trial, folder / "trials"])
    aside = folder.with_name("aside")
    path.rename(aside)
    to = random.choice(
        [aside, path, Path("nowhere"), folder, Path("/dev/null"), Path("/dev/zero"), Path("/")]
    )
    path.symlink_to(to)
    lost = path == trial and not path.is_dir()
    return Done(f"{path.name} became a link to {to}", gone=frozenset({trial.name} if lost else ()))


def replace_by_a_thing(folder: Path, random: Random) -> Done:
    """A pipe that nobody writes into, a socket, a device, a folder, or the largest file that there can be."""
    path = random.choice([*files(folder), *trials(folder), folder / "trials"])
    words, make = random.choice(THINGS)
    is_trial = path.parent.name == "trials"
    optional = path.parent.name == "logs" or is_trial
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)
    gone = frozenset({path.name} if is_trial and not path.is_dir() else ())
    return Done(f"{path.name} became a {words}", gone=gone, certain=not optional)


def _sparse(path: Path) -> None:
    path.touch()
    with contextlib.suppress(OSError):
        os.truncate(path, 2**40)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made, contextlib.chdir(path.parent):
        made.bind(path.name[:90])


THINGS: list[tuple[str, Callable[[Path], object]]] = [
    ("pipe", os.mkfifo),
    ("folder", os.mkdir),
    ("terabyte of nothing", _sparse),
    ("device", lambda path: path.symlink_to("/dev/zero")),
    ("circle", lambda path: path.symlink_to(path)),
    ("socket", _socket),
]


# Documents that say something else: damaged, or forged.


def say_otherwise(folder: Path, random: Random) -> Done:
    path = random.choice(files(folder, "*.json"))
    document = json.loads(path.read_bytes())
    before = json.dumps(document)
    words = random.choice(SAYINGS)(document, random)
    told = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    if random.random() < 0.02:
        told = random.choice(["\ufeff" + told, told * 2, f"[{told}]", told[:-1] + ',"schema":1}'])
    path.write_bytes(_bytes(told))
    forged = random.random() < 0.75
    if forged:
        seal(path.parent, sums(path.parent))
    whose = path.parent.name if path.name == "trial.json" else MANIFEST
    same_as_before = json.dumps(document) == before
    return Done(
        f"{path.relative_to(folder)}{', sealed again' * forged}: {words}",
        told=frozenset() if same_as_before else frozenset({whose}),
    )


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _places(document: Any, name: str = "") -> Iterator[tuple[Any, Any, str]]:
    """Yield each container with each of its keys."""
    for key in document if isinstance(document, dict) else range(len(document)):
        yield document, key, key if isinstance(key, str) else name
        if isinstance(document[key], dict | list):
            yield from _places(document[key], key if isinstance(key, str) else name)


def _replace(document: Any, random: Random) -> str:
    at, key, name = random.choice(list(_places(document)))
    at[key] = odd = random.choice(ODD)
    return f"{name} became {odd!r:.50}"


def _replace_a_number(document: Any, random: Random) -> str:
    numbers = [found for found in _places(document) if type(found[0][found[1]]) in (int, float)]
    at, key, name = random.choice(numbers or list(_places(document)))
    old = at[key] if numbers else 0
    at[key] = random.choice([*NUMBERS, old + 1, old - 1, -old, old * 1000, old / 1000])
    return f"{name} became {at[key]!r:.50}"


def _replace_a_word(document: Any, random: Random) -> str:
    words = [found for found in _places(document) if found[2] in WORDS]
    at, key, name = random.choice(words or list(_places(document)))
    at[key] = random.choice([*UNKNOWN, *TEXTS])
    return f"{name} became {at[key]!r:.50}"


def _nest(document: Any, random: Random) -> str:
    at, key, name = random.choice(list(_places(document)))
    depth = random.choice([1, 5, 30, 60, 70, 300])
    opening, closing = random.choice(["[]", ['{"":', "}"]])
    at[key] = json.loads(opening * depth + ("1" if opening != "[" else "") + closing * depth)
    return f"{name} nests {depth} deep"


def _drop(document: Any, random: Random) -> str:
    at, key, name = random.choice(list(_places(document)))
    del at[key]
    return f"{name} went"


def _add(document: Any, random: Random) -> str:
    places = [at for at, _, _ in _places(document)]
    at, odd = random.choice(places), random.choice(ODD)
    if isinstance(at, dict):
        at[random.choice([*TEXTS, *at])] = odd
    else:
        at.append(random.choice([odd, *at]))
    return f"something was added: {odd!r:.50}"


SAYINGS = [_replace, _replace, _replace_a_number, _replace_a_number, _replace_a_word, _nest, _drop, _add]


# Tables that hold something else, sealed as if they had been measured.


def forge_a_table(folder: Path, random: Random) -> Done:
    trial, name = _table(folder, random)
    path = trial / f"{name}.parquet"
    table = pq.read_table(path, partitioning=None)
    words, forged = random.choice(FORGERIES)(table, random)
    pq.write_table(forged, path)
    _reseal(trial, name, random.choice([forged.num_rows, forged.num_rows, 10**8, 0, -1]))
    return Done(f"{path.relative_to(folder)}: {words}", told=frozenset({trial.name}))


def _table(folder: Path, random: Random) -> tuple[Path, str]:
    trial = random.choice(trials(folder))
    return trial, random.choice([path.stem for path in files(trial, "*.parquet")])


def _reseal(trial: Path, name: str, rows: int) -> None:
    path = trial / "trial.json"
    document = json.loads(path.read_bytes())
    document["rows"][name] = rows
    path.write_text(json.dumps(document, ensure_ascii=False))
    seal(trial, sums(trial))


def _extreme(table: pa.Table, random: Random) -> tuple[str, pa.Table]:
    column = random.choice(table.column_names)
    kind = table.schema.field(column).type
    if pa.types.is_dictionary(kind):
        values: Any = [random.choice(TEXTS) for _ in range(table.num_rows)]
        put: Any = "texts"
    else:
        values = table[column].to_numpy().copy()
        limits = [-1.0, 1e308, np.nan, np.inf] if kind == pa.float64() else _ends(values)
        put = random.choice([*limits, *values[:3], 0])
        chosen = random.choice([slice(None), slice(1), slice(0, None, 2)])
        values[chosen] = put
    index = table.column_names.index(column)
    forged = pa.array(values).cast(kind)
    return f"{column} became {put}", table.set_column(index, table.schema.field(column), forged)


def _ends(values: Any) -> list[Any]:
    limits = np.iinfo(values.dtype)
    return [limits.min, limits.max, min(2**61, limits.max), *(value for value in (-1,) if limits.min < 0)]


def _other_rows(table: pa.Table, random: Random) -> tuple[str, pa.Table]:
    order = list(range(table.num_rows))
    words, rows = random.choice(
        [
            ("none", []),
            ("doubled", order * 2),
            ("reversed", order[::-1]),
            ("shuffled", random.sample(order, len(order))),
            ("one", order[:1]),
            ("the last went", order[:-1]),
            ("one fifty times", order[:1] * 50),
        ]
    )
    return f"rows: {words}", table.take(pa.array(rows, pa.int64()))


def _other_columns(table: pa.Table, random: Random) -> tuple[str, pa.Table]:
    column = random.choice(table.column_names)
    index = table.column_names.index(column)
    nullable = pa.array([None] * table.num_rows, table.schema.field(column).type)
    return random.choice(
        [
            (f"{column} went", table.drop_columns([column])),
            (
                f"{column} is renamed",
                table.rename_columns([f"{n}x" if n == column else n for n in table.column_names]),
            ),
            (f"{column} is empty", table.set_column(index, column, nullable)),
            ("columns are reversed", table.select(table.column_names[::-1])),
        ]
    )


FORGERIES = [_extreme, _extreme, _extreme, _other_rows, _other_columns]


def unpack_to_much(folder: Path, random: Random) -> Done:
    """A few hundred kilobytes of twenty million rows, sealed as such."""
    trial, name = _table(folder, random)
    (trial / f"{name}.parquet").write_bytes(_bomb(name))
    _reseal(trial, name, random.choice([20_000_000, 30]))
    return Done(f"{name} of {trial.name} unpacks to twenty million rows", certain=True)


@functools.cache
def _bomb(name: str) -> bytes:
    spec, rows = TABLES[name], 10**6
    schema = _arrow_schema(name)
    columns = [
        pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [""])
        if kind == "string"
        else pa.array(np.ones(rows, kind))
        for kind in spec.values()
    ]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(pa.table(columns, schema=schema))
    return bytes(sink.getvalue())


HARMS: list[Harm] = [rename, hide, remove, remove_a_file, swap, swap_trials, copy, add, add_a_folder]
HARMS += [change_bytes] * 3 + [cut, link, replace_by_a_thing, replace_by_a_thing, unpack_to_much]
HARMS += [say_otherwise] * 12 + [forge_a_table] * 6
PACKED_HARMS: list[Harm] = [change_bytes, cut, remove_a_file, swap, say_otherwise]
