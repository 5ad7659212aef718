"""Strategies of other packages: sound ones join, unsound ones harm nobody who did not ask for them."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.campaign.predictions import keys, select
from harness.campaign.profiles import EVERY, EVERY_VARIANT, PROFILES, USUAL_WAYS
from harness.commands.doctor import GOOD, NOTE, _strategies
from harness.commands.list import listing
from harness.search.profiles import SEARCHES
from harness.target.environments import environment_of
from results.errors import BlockpointError
from targets.registry import find, from_elsewhere, installed, split_name
from targets.settings import Settings
from tests.harness.inside import inside
from tests.strategies import discover

from .plugin import write_plugin

OURS = [
    "inline/default",
    "background_tasks/default",
    "background_tasks/tuned",
    "background_tasks_async/default",
    "background_tasks_blocking/default",
    "threadpool/default",
    "threadpool/tuned",
    "celery/default",
    "celery/tuned",
    "arq/default",
    "arq/tuned",
]
Install = Callable[..., None]

SOUND = """
definition = Definition(
    "guest",
    "from another package",
    {"default": Variant("as inline", Inline), "odd_one-2": Variant("too", Inline),
     "quiet": Variant("by name", Inline, by_name_only=True)},
)
"""
MINE = """
class Mine(InProcess):
    services = {kind: Service(law="pool", slots=4) for kind in KINDS}
    def __init__(self, settings: Settings) -> None: ...
    async def submit(self, task: Task, background: BackgroundTasks) -> None: ...
"""
DEFINED = "\ndefinition = Definition('guest', 'x', {'default': Variant('x', Mine)})\n"

UNSOUND = {
    "no such module": ("", "no_such_module:definition", "does not load: ModuleNotFoundError"),
    "no such name": ("", "", "does not load: AttributeError"),
    "no module at all": ("", "what is this?", "does not load"),
    "raises": ("raise RuntimeError('two\\nlines')", "", "does not load: RuntimeError: two lines"),
    "exits": ("raise SystemExit(0)", "", "does not load: SystemExit"),
    "no definition": ("definition = 'a text'", "", "is not a targets.strategy.Definition"),
    "another name": ("definition = Definition('other', 'x', {})", "", "calls itself 'other'"),
    "no variants": ("definition = Definition('guest', 'x', {})", "", "has no variants"),
    "a list of variants": ("definition = Definition('guest', 'x', ['default'])", "", "has no variants"),
    "no Variant": (
        "definition = Definition('guest', 'x', {'default': Inline})",
        "",
        "has variants that are no targets.strategy.Variant",
    ),
    "a variant's name": (
        "definition = Definition('guest', 'x', {'a/b': Variant('x', Inline)})",
        "",
        "has the name 'a/b': use letters",
    ),
}
SERVED = 'Service(law="pool", slots=4)'
CANNOT = "declares what cannot be recorded"
UNSOUND_VARIANT = {
    "build raises": (
        "class Mine(InProcess):\n    def __init__(self, _): raise KeyError('x')",
        "cannot be built: KeyError: 'x'",
    ),
    "build exits": (
        "class Mine(InProcess):\n    def __init__(self, _): raise SystemExit",
        "cannot be built: SystemExit",
    ),
    "takes no settings": ("class Mine(InProcess): ...", "cannot be built: TypeError"),
    "builds nothing": ("def Mine(settings): return None", "does not say its `services`"),
    "no services": (MINE.replace("services =", "other ="), "does not say its `services`"),
    "no submit": (
        MINE.replace("async def submit", "async def send"),
        "has no `async def submit(self, task, background)`",
    ),
    "def submit": (
        MINE.replace("async def submit", "def submit"),
        "has a `submit` that is no coroutine function: write `async def submit(self, task, background)`",
    ),
    "def start": (MINE + "    def start(self) -> None: ...", "write `async def start(self)`"),
    "submit of one": (
        MINE.replace(", background: BackgroundTasks", ""),
        "takes other arguments: write `async def submit(self, task, background)`",
    ),
    "one kind": (MINE.replace("in KINDS", "in ['sleep']"), "how it serves tasks of kind cpu, cpu_native"),
    "no Service": (MINE.replace(SERVED, "4"), CANNOT),
    "no mapping": (MINE.replace(f"{{kind: {SERVED} for kind in KINDS}}", "7"), CANNOT),
    "an unknown law": (MINE.replace("pool", "pond"), "Invalid enum value 'pond'"),
    "no number": (MINE + "    max_attempts = 'three'", "Expected `int`, got `str` - at `$.max_attempts`"),
    "no JSON": (MINE + "    settings = {'x': object()}", CANNOT),
    "a circle": (MINE + "    settings = {}\n    settings['x'] = settings", CANNOT),
    "no finite window": (MINE + "    window_s = float('nan')", CANNOT),
}


@pytest.fixture(scope="module", autouse=True)
def _made() -> None:
    """Make the environments, of which a line is said, before anybody listens."""
    for name in discover():
        environment_of(name)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Give a function that installs a strategy named `guest`."""

    def installing(body: str, *, name: str = "guest", value: str = "", folder: str = "one") -> None:
        where = tmp_path / folder
        where.mkdir()
        write_plugin(where, name, body, value=value)
        monkeypatch.delitem(sys.modules, f"{name}_plugin", raising=False)
        monkeypatch.syspath_prepend(where)
        importlib.invalidate_caches()

    return installing


def harms_nobody(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Assert that an unsound guest is a warning to those who look, and left out by those who take all."""
    warnings = [line for line in listing() if "warning" in line]
    assert len(warnings) == 1
    assert words in warnings[0]
    findings = {finding.what: finding for finding in _strategies()}
    assert (findings["strategy guest"].severity, words in findings["strategy guest"].advice) == (NOTE, True)
    assert findings["strategy celery"].severity == GOOD
    assert select([EVERY_VARIANT], ["celery/tuned"], ()) == ["celery/tuned"]
    made = capsys.readouterr().err.splitlines()
    assert [line for line in made if not line.startswith("making the environment of ")] == []
    assert keys([USUAL_WAYS]) == OURS
    said = capsys.readouterr().err
    assert said.startswith("warning: left out: strategy guest")
    assert (words in said, said.count("\n")) == (True, 1)
    with pytest.raises(BlockpointError) as refusal:
        select([EVERY], ["guest"], ())
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("case", UNSOUND)
def test_one_that_does_not_load_harms_nobody(
    case: str, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    body, value, words = UNSOUND[case]
    install(body, value=value)
    harms_nobody(words, capsys)


@pytest.mark.parametrize("case", UNSOUND_VARIANT)
def test_one_that_keeps_no_promise_harms_nobody(
    case: str, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    body, words = UNSOUND_VARIANT[case]
    install(body + DEFINED)
    harms_nobody(words, capsys)


def test_every_command_works_beside_an_unsound_one(
    install: Install, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install("definition = 7")
    for arguments in (
        ("list",),
        ("drill", "kill-web", "--strategy", "celery", "--dry-run"),
        ("find", "--dry-run", "--profile", "quick"),
        ("run", "--dry-run", "--profile", "smoke"),
    ):
        assert inside(monkeypatch, capsys, *arguments).code == 0, arguments
    asked = inside(monkeypatch, capsys, "find", "--dry-run", "--strategy", "guest")
    fault = "guest_plugin:definition is not a targets.strategy.Definition"
    assert (asked.code, asked.err) == (2, f"error: strategy guest: {fault}\n")


def test_a_sound_one_joins_every_profile_that_takes_every_strategy(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keys(PROFILES["quick"].subjects) == keys(SEARCHES["quick"].subjects) == OURS
    install(SOUND)
    joined = [*OURS, "guest/default", "guest/odd_one-2"]
    for profile in (PROFILES["quick"], SEARCHES["quick"], SEARCHES["full"]):
        assert keys(profile.subjects) == joined
    for profile in (PROFILES["full"], SEARCHES["standard"]):
        assert {*joined} < {*keys(profile.subjects)}
    assert "guest/quiet" in keys([EVERY_VARIANT])
    assert keys(PROFILES["smoke"].subjects) == ["background_tasks/default", "celery/tuned", "arq/tuned"]
    assert list(discover())[-1] == "guest"
    assert capsys.readouterr().err == ""


def test_names_of_another_package_split(install: Install) -> None:
    install(SOUND)
    assert split_name("guest_odd_one-2") == split_name("guest/odd_one-2") == ("guest", "odd_one-2")
    install("", name="celery_tuned", folder="two")
    assert split_name("celery/tuned") == ("celery", "tuned")


def test_the_name_of_one_of_ours_cannot_be_taken(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install("definition = Definition('celery', 'x', {'default': Variant('x', Inline)})", name="celery")
    assert find("celery").summary.startswith("Celery")
    assert not from_elsewhere("celery")
    assert "Celery" in discover()["celery"].summary
    warnings = [line for line in listing() if "warning" in line]
    assert warnings == [
        "  warning: strategy celery (celery_plugin:definition) is left out: the name is taken"
    ]
    assert keys([USUAL_WAYS]) == OURS
    assert capsys.readouterr().err.count("\n") == 1


def test_a_name_that_two_others_claim_is_refused(install: Install) -> None:
    install(SOUND)
    install(SOUND, folder="two")
    (again,) = [found for name, found in installed() if name == "guest"]
    assert isinstance(again, BlockpointError)
    assert "registered twice" in str(again)


def test_one_of_ours_that_is_too_old_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(find("inline").requires, "fastapi", "999")  # type: ignore[arg-type]
    with pytest.raises(BlockpointError, match="needs fastapi 999 or newer"):
        keys([USUAL_WAYS])
    with pytest.raises(BlockpointError, match="needs fastapi 999 or newer"):
        find("inline").subject("default", Settings())
