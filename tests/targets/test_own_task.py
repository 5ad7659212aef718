"""The user's own callable: how it is found, what it is called with, and what becomes of one that raises."""

import asyncio
import functools
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from results.errors import BlockpointError
from results.ledger_file import read_ledger
from results.terms import Moment
from targets import ledger as ledger_module
from targets.ledger import Ledger
from targets.own.arguments import Arguments, chosen, in_turn
from targets.own.calls import OwnTask, own_task
from targets.own.places import make_findable
from targets.own.resolve import is_coroutine, resolve
from targets.settings import Settings
from targets.strategies.background_tasks_blocking import perform_blocking
from targets.task import Task
from targets.work import TaskFailedError, perform, perform_async

TASKS = """
import asyncio

calls = []
LIMIT = 7

def note(*args, **named):
    calls.append((args, named))

async def note_later(*args, **named):
    await asyncio.sleep(0)
    calls.append((args, named))

def fail():
    raise LookupError("no such picture")

def leave():
    raise SystemExit(3)

async def hang():
    await asyncio.sleep(3600)

class Mailer:
    def send(self):
        calls.append("sent")

mailer = Mailer()
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder of the user's, whose modules this process finds after all others and forgets again."""
    (tmp_path / "usertasks.py").write_text(TASKS)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    own_task.cache_clear()


def of(project: Path, name: str, **more: object) -> OwnTask:
    return OwnTask.of(Settings(own_task=f"usertasks:{name}", own_path=str(project), **more))  # type: ignore[arg-type]


def test_a_callable_is_found_by_its_name_and_an_entry_point_by_its_own(project: Path) -> None:
    info = project / "usertasks-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: usertasks\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[blockpoint.tasks]\nnoting = usertasks:note\n")
    make_findable(str(project), "", "")
    assert resolve("noting") is resolve("usertasks:note")
    assert resolve("usertasks:mailer.send").__self__ is resolve("usertasks:Mailer.send").__globals__["mailer"]  # type: ignore[attr-defined]
    with pytest.raises(BlockpointError, match="did you mean 'noting'"):
        resolve("notting")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("usertasks:nota", "there is no callable in usertasks 'nota'; did you mean 'note'?"),
        ("usertasks:LIMIT", "usertasks:LIMIT is no callable but int"),
        ("nowhere.tasks:go", r"cannot import nowhere.tasks: ModuleNotFoundError: No module named 'nowhere'"),
        ("broken:go", r"cannot import broken: ZeroDivisionError: division by zero \(broken.py:2\)"),
        ("leaves:go", r"cannot import leaves: SystemExit: 5 \(leaves.py:1\)"),
        ("unwritten:go", r"cannot import unwritten: SyntaxError: "),
        ("targets.work:perform", "targets is a package of Blockpoint's own; rename yours"),
        ("thumbnail", "no module:callable, and no package here registers tasks in blockpoint.tasks"),
    ],
)
def test_what_cannot_be_called_is_one_line_about_their_code(project: Path, name: str, line: str) -> None:
    (project / "broken.py").write_text("def go(): ...\n1 / 0\n")
    (project / "leaves.py").write_text("raise SystemExit(5)\n")
    (project / "unwritten.py").write_text("def go(:\n")
    make_findable(str(project), "", "")
    with pytest.raises(BlockpointError, match=line) as refusal:
        resolve(name)
    assert "\n" not in str(refusal.value)


def test_of_the_working_directory_nothing_but_the_package_itself_is_found(project: Path) -> None:
    (project / "neighbour.py").write_text("")
    (project / "usertasks.py").write_text("def note(): import neighbour\n")
    make_findable("", str(project), "usertasks")
    with pytest.raises(ModuleNotFoundError, match="neighbour"):
        resolve("usertasks:note")()


def test_ours_wins_where_both_have_a_module(project: Path) -> None:
    (project / "msgspec.py").write_text("raise AssertionError")
    (project / "usertasks.py").write_text("import msgspec\ndef note(): return msgspec.__file__\n")
    assert not str(of(project, "note").call(1)).startswith(str(project))


def test_a_coroutine_function_is_known_in_every_form() -> None:
    async def plain(_: int) -> None: ...

    class Called:
        async def __call__(self) -> None: ...

    @functools.wraps(plain)
    async def wrapped(_: int) -> None: ...

    assert all(map(is_coroutine, (plain, functools.partial(plain, 1), Called(), wrapped)))
    assert not any(map(is_coroutine, (print, Called, functools.partial(print), list)))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "has no line"),
        ("\n\n", "has no line"),
        ("[1]\n{oops}\n", "line 2 is neither a JSON array"),
        ("[1]\n\n7\n", "line 3 is neither a JSON array"),
        ("[1]\n\xff\n", "line 2 is neither a JSON array"),
    ],
)
def test_a_file_of_arguments_is_refused_by_its_line(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "args.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BlockpointError, match=line):
        Arguments.read(path)
    with pytest.raises(BlockpointError, match=r"cannot read .*No such file"):
        Arguments.read(tmp_path / "nowhere")


def test_a_task_gets_the_line_that_its_id_and_the_seed_choose(project: Path) -> None:
    args = project / "args.jsonl"
    args.write_text('[1, "a"]\n\n{"width": 2}\n')
    task = of(project, "note", own_args=str(args), own_seed=5)
    for task_id in range(50):
        task.call(task_id)
    seen = sys.modules["usertasks"].calls
    given = [((1, "a"), {}), ((), {"width": 2})]
    assert seen == [given[chosen(task_id, 5, 2)] for task_id in range(50)]
    assert given[0] in seen
    assert given[1] in seen


def test_lines_are_chosen_evenly_and_otherwise_by_another_seed() -> None:
    one, another = ([chosen(task_id, seed, 4) for task_id in range(4000)] for seed in (1, 2))
    assert one != another
    assert all(900 < count < 1100 for count in Counter(one).values())


def test_while_it_is_timed_all_lines_have_their_turn() -> None:
    timed = in_turn(Arguments(tuple(b"[%d]" % line for line in range(20))), 1)
    numbers = [timed.of(call, 1)[0][0] for call in range(20)]
    assert sorted(numbers) == list(range(20)) != numbers
    assert timed.of(20, 1) == timed.of(0, 1)


def test_a_call_that_changes_its_arguments_changes_no_others() -> None:
    arguments = Arguments((b'[{"tags": []}]',))
    first, _ = arguments.of(1, 1)
    first[0]["tags"].append("new")
    assert arguments.of(1, 1) == ([{"tags": []}], {})


@pytest.fixture
def own(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOCKPOINT_OWN_PATH", str(project))
    monkeypatch.setattr(ledger_module, "_ledger", Ledger(tmp_path))
    return tmp_path


def ended(folder: Path) -> list[Moment]:
    (path,) = folder.glob("ledger-*.bin")
    return [Moment(int(moment)) for moment in read_ledger(path)["moment"]]


@pytest.mark.parametrize(("name", "kind"), [("note", "own_wait"), ("note_later", "own_await")])
@pytest.mark.parametrize("how", ["blocking", "awaiting", "blocking a loop"])
def test_it_runs_as_any_task_does(
    own: Path, name: str, kind: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPOINT_OWN_TASK", f"usertasks:{name}")
    task = Task(1, kind, 1)
    if how == "blocking":
        perform(task)
    else:
        asyncio.run(perform_async(task) if how == "awaiting" else perform_blocking(task))
    assert sys.modules["usertasks"].calls == [((), {})]
    assert ended(own) == [Moment.STARTED, Moment.FINISHED]


@pytest.mark.parametrize(
    ("name", "kind", "line"),
    [
        ("fail", "own_wait", r"LookupError: no such picture \(usertasks.py:15\)"),
        ("leave", "own_compute", r"SystemExit: 3 \(usertasks.py:18\)"),
        ("hang", "own_await", "TimeoutError"),
    ],
)
def test_one_that_raises_fails_as_a_task_that_a_strategy_may_try_again(
    own: Path, name: str, kind: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKPOINT_OWN_TASK", f"usertasks:{name}")
    monkeypatch.setenv("BLOCKPOINT_OWN_LIMIT_S", "0.05")
    with pytest.raises(TaskFailedError, match=line):
        asyncio.run(perform_async(Task(1, kind, 1)))
    assert ended(own) == [Moment.STARTED, Moment.FAILED]
