"""A service of somebody's own, started and asked as its file says; and what is said where that goes wrong."""

import json
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from harness.service.ends import ended, value_in
from harness.service.file import read_service
from harness.service.running import running_service
from harness.service.service import Service
from harness.service.target import ServiceTarget
from harness.target.cores import Pinning
from harness.target.processes import Family, family
from harness.target.target import Launch
from harness.terminal.exits import INTERRUPTED
from results.errors import BlockpointError
from results.service import Request
from results.terms import Moment
from targets.settings import Settings
from tests.loadtests.recording import certificate, recording

from .blockpoint import LIMIT_S, QUIET, blockpoint, eventually, families, started
from .service import BACK, declare

POLL = "\n[completions]\nsource = 'poll'\npath = '/jobs/{job}'\nfield = 'state'\nfailed = 'failed'\n"


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERS_TOKEN", "s3cret")


@pytest.fixture
def members() -> Iterator[Family]:
    with family() as found:
        yield found
        children = [child.pid for child in found._children]
    assert not any(map(psutil.pid_exists, children))


def preflight(file: Path, members: Family, logs: Path, look: Callable[[ServiceTarget], None] = id) -> None:
    """Start the service as a trial would, ask everything once, look, and end it."""
    launch = Launch(members, Pinning(), Settings())
    with running_service(read_service(file), launch, logs) as target:
        target.preflight("request")
        look(target)
    assert not any(child.running for child in target.children())


def test_it_is_asked_as_its_file_says(tmp_path: Path, members: Family) -> None:
    seen: list[list[str]] = []

    def look(target: ServiceTarget) -> None:
        seen.extend(json.loads(target.expect("", Request(path="/seen")).body))
        assert "s3cret" not in json.dumps(str(target.subject))

    preflight(declare(tmp_path), members, tmp_path, look)
    ((path, body, authorization, carried),) = seen
    assert (path, authorization) == ("/orders/0", "Bearer s3cret")
    assert re.fullmatch(r"[0-9a-f]{16}", carried)
    assert json.loads(body) == {"id": carried}


@pytest.mark.parametrize("trusted", [True, False])
def test_one_that_runs_elsewhere_is_asked_over_tls(trusted: bool, tmp_path: Path, members: Family) -> None:
    with recording({"/health": 200}, otherwise=202, pair=certificate(tmp_path)) as found:
        own = f"url = '{found.url}/shop'\n" + ("ca = 'cert.pem'" if trusted else "")
        file = declare(tmp_path)
        file.write_text(re.sub(r"command = .*", own, file.read_text()))
        if trusted:
            preflight(file, members, tmp_path)
            assert ("/shop/orders/0", found.asked[-1][1]) == found.asked[-1]
        else:
            with pytest.raises(BlockpointError, match="its certificate is not trusted"):
                preflight(file, members, tmp_path)
            assert not found.asked


def test_a_task_is_followed_by_a_field_of_the_reply(tmp_path: Path, members: Family) -> None:
    file = declare(tmp_path)
    file.write_text(file.read_text() + POLL)
    preflight(file, members, tmp_path)


def test_a_service_calls_back_for_its_first_task(tmp_path: Path, members: Family) -> None:
    preflight(declare(tmp_path, **BACK), members, tmp_path)


@pytest.mark.parametrize(
    ("more", "replaced", "said"),
    [
        ("failing", BACK, "a first task has failed, by its callback"),
        ("broken", {}, r"exited at once with code 1; it said last:\n +it begins\n +no database"),
        (
            "",
            {"'/health'": "'/health'", "[submit]": "health = '/nope'\n[submit]"},
            r"GET /nope .* status 404",
        ),
        ("busy", {}, r"\[submit\]: POST /orders/0 was answered with status 503, not 202"),
        ("", {"expect = 202": "expect = [200, 204]"}, r"with status 202, not 200, 204"),
        (
            "",
            {'"/health"': '"/nothing"', "[submit]": "health = '/health'\n[submit]"},
            r"GET /nothing was .* 404",
        ),
        (
            "failing",
            {"[[bystander]]": f"{POLL}\n[[bystander]]"},
            r"a first task has failed: GET /jobs/1: status 200",
        ),
        (
            "",
            {"[[bystander]]": f"{POLL}\n[[bystander]]", "{job}": "{task}"},
            r"path needs 'task' of the reply",
        ),
    ],
    ids=[
        "calls back with a failure",
        "does not start",
        "never up",
        "refuses",
        "another status",
        "no bystander there",
        "fails",
        "no field",
    ],
)
def test_what_goes_wrong_is_said_in_one_line(
    more: str, replaced: dict[str, str], said: str, tmp_path: Path, members: Family
) -> None:
    file = declare(tmp_path, more)
    text = file.read_text()
    for old, new in replaced.items():
        text = text.replace(old, new)
    file.write_text(text)
    with pytest.raises(BlockpointError, match=said):
        preflight(file, members, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("start_within", "start_withn", r"no key in \[service\] 'start_withn'; did you mean 'start_within'"),
        ("[submit]", "[submits]", r"has no \[submit\]"),
        ("{index}", "{indx}", r"\[submit\]: there is no field 'indx'; did you mean 'index'"),
        ("{index}", "{payload}", r"payloads = "),
        ("expect = 202", "expect = 'ok'", r"submit.*: Expected"),
        ("ORDERS_TOKEN", "OTHER_TOKEN", r"\$\{OTHER_TOKEN\} is not set"),
        ('"{port}"', '"8000"', r"command has to name \{port\}"),
        ("command", "url = 'http://127.0.0.1:1'\ncommand", r"either a command .* or the url"),
        ("[[bystander]]", "[[bystander]]\nmethod = 'FETCH'", r"method: Invalid enum value 'FETCH'"),
        ('path = "/health"', 'path = "health"', r"'health' has to begin with /"),
        ("[service]", "[service", r"is no TOML"),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    file = declare(tmp_path)
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(BlockpointError, match=said) as caught:
        read_service(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{webhook}/{id}", "nowhere", r"has to learn where to call back: name \{webhook\}"),
        ("'webhook'", "'poll'\npath = '/{id}'", r"no field 'webhook'"),
        ("'webhook'", "'webhook'\nlisten = 'here'", r"listen 'here' is not HOST:PORT"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(old: str, new: str, said: str, tmp_path: Path) -> None:
    file = declare(tmp_path, **BACK)
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(BlockpointError, match=said):
        read_service(file)


def test_a_table_of_a_pyproject_does_as_well(tmp_path: Path) -> None:
    file = declare(tmp_path)
    text = re.sub(r"^(\[+)", r"\1tool.blockpoint.", file.read_text(), flags=re.MULTILINE)
    table = tmp_path / "pyproject.toml"
    table.write_text(text)
    found: list[Service] = [read_service(path) for path in (file, table)]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "example.org is another machine: if it is yours to load, say so: --i-own example.org"),
        (["--i-own", "example.com"], "example.org is another machine"),
        (["--kind", "cpu"], "--kind says nothing of a service of your own"),
    ],
)
def test_nothing_is_sent_before_it_is_allowed(arguments: list[str], said: str, tmp_path: Path) -> None:
    file = declare(tmp_path)
    text = re.sub(r"command = .*", "url = 'https://example.org/api'", file.read_text())
    file.write_text(text)
    done = blockpoint("find", "-f", str(file), "--dry-run", *arguments, runs=tmp_path / "runs")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_the_plan_is_shown_without_what_is_secret(tmp_path: Path) -> None:
    asked = ["find", "-f", str(declare(tmp_path)), "--dry-run", "--max-rate", "70", "--max-requests", "9000"]
    done = blockpoint(*asked, runs=tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert re.search(r"at most +70 tasks/s, .* 9,000 requests in all", done.stdout)
    assert "s3cret" not in done.stdout


@pytest.mark.parametrize(
    ("body", "moment"),
    [
        (b'{"a": {"b": "done"}}', Moment.FINISHED),
        (b'{"a": {"b": "dead"}}', Moment.FAILED),
        (b'{"a": {"b": "waiting"}}', None),
        (b'{"a": null}', None),
        (b"not JSON", None),
    ],
)
def test_the_state_of_a_task_is_read_from_a_field(body: bytes, moment: Moment | None, tmp_path: Path) -> None:
    file = declare(tmp_path)
    text = POLL.replace("'state'", "'a.b'").replace("'failed'", "'dead'")
    file.write_text(file.read_text() + text)
    assert ended(read_service(file).completions, body) is moment


def test_a_value_that_is_no_text_is_compared_as_json() -> None:
    assert value_in(b'{"ready": true, "n": 3}', "ready") == "true"
    assert value_in(b'{"ready": true, "n": 3}', "n") == "3"


@pytest.mark.e2e
def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    asked = ["find", "-f", str(declare(tmp_path)), "--max-rate", "50", *QUIET]
    command = started(*asked, runs=runs, ORDERS_TOKEN="s3cret")
    # between two trials nothing runs, and a trial's folder is made before its processes
    assert eventually(lambda: any(runs.glob("*/trials/.partial-*")) and bool(families(runs)))
    command.send_signal(signal.SIGINT)
    said, _ = command.communicate(timeout=LIMIT_S)
    assert command.returncode == INTERRUPTED, said
    assert eventually(lambda: not families(runs))
    (manifest,) = runs.glob("*/manifest.json")
    assert "s3cret" not in manifest.read_text() + said
