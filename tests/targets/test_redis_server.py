"""A Redis URL is read as redis-py reads it, and every strategy then reaches that same database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio.connection import parse_url as parse_url_async
from redis.connection import parse_url

from harness.target.cores import Pinning
from harness.target.processes import family
from harness.target.target import Launch, running_target
from results.errors import BlockpointError
from targets.redis_server import RedisServer
from targets.settings import Settings
from tests.harness.servers import Server, behind_tls, server
from tests.strategies import told

SETTINGS = Settings(slots=4, cores=1, units_per_ms_cpu=1000.0, units_per_ms_cpu_native=1.0)
PASSWORD = "p%41/w#?[:@]& é+x"
QUOTED = "p%2541%2Fw%23%3F%5B%3A%40%5D%26%20%C3%A9%2Bx"
SUBMIT = """
import asyncio
from fastapi import BackgroundTasks
from targets.settings import Settings
from targets.registry import find
from targets.task import Task

async def submit(name, variant):
    strategy = find(name).build(variant, Settings.from_environment())
    await strategy.start()
    await strategy.submit(Task(id=7, kind="sleep", units=1), BackgroundTasks())
    print(name, variant, await strategy.state(7), len(strategy.queues))
    await strategy.stop()
"""
EVERY_VARIANT = """
for variant in find({name!r}).variants:
    asyncio.run(submit({name!r}, variant))
"""
SUBMITTED = """arq default accepted 1
arq tuned accepted 1
arq durable accepted 1
celery default None 2
celery late None 2
celery threads None 2
celery tuned None 3
celery durable None 3
"""


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("redis://", "redis://localhost:6379/0"),
        ("redis://h", "redis://h:6379/0"),
        ("redis://h/", "redis://h:6379/0"),
        ("redis://h:1/3/", "redis://h:1/3"),
        ("redis://h:1?db=3", "redis://h:1/3"),
        ("redis://h/2?db=3", "redis://h:6379/3"),
        ("redis://[::1]:7/1", "redis://[::1]:7/1"),
        ("redis://me@h", "redis://me@h:6379/0"),
        ("redis://:s%2Fe@h/0", "redis://:s%2Fe@h:6379/0"),
        ("redis://h/0?username=me&password=a", "redis://me:a@h:6379/0"),
        ("redis://:raw p@ss@h/0", "redis://:raw%20p%40ss@h:6379/0"),
        ("unix:///a/b%20c.sock", "unix:///a/b%20c.sock?db=0"),
        ("unix://me:x@/a/b.sock?db=2", "unix://me:x@/a/b.sock?db=2"),
        ("rediss://h", "rediss://h:6379/0?ssl_cert_reqs=required&ssl_check_hostname=False"),
        (
            "rediss://h/1?ssl_cert_reqs=none&ssl_check_hostname=no",
            "rediss://h:6379/1?ssl_cert_reqs=none&ssl_check_hostname=False",
        ),
    ],
)
def test_every_form_has_one_normal_form(url: str, normal: str) -> None:
    assert RedisServer.parse(url).url == normal
    assert RedisServer.parse(normal).url == normal


@given(user=st.text(min_size=1), password=st.text(min_size=1), database=st.integers(0, 15))
def test_redis_reads_the_normal_form_as_what_was_meant(user: str, password: str, database: int) -> None:
    given = {"username": user, "password": password, "database": database}
    for meant in (RedisServer(host="h", port=1, **given), RedisServer(path="/a b%/c", **given)):
        assert RedisServer.parse(meant.url) == meant
        for parse in (parse_url, parse_url_async):
            read = parse(meant.url)
            assert (read["username"], read["password"], read["db"]) == (user, password, database)


def test_a_certificates_path_survives_being_decoded(tmp_path: Path) -> None:
    path = tmp_path / "100%25 ä&b.pem"
    path.touch()
    server = RedisServer(
        tls={"ssl_cert_reqs": "required", "ssl_check_hostname": True, "ssl_ca_certs": str(path)}
    )
    assert RedisServer.parse(server.url) == server
    assert parse_url(server.url)["ssl_ca_certs"] == str(path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("notasecret", "it must be redis://"),
        ("http://secret", "it must be redis://"),
        ("localhost:6379", "it must be redis://"),
        ("REDIS://secret", "it must be redis://"),
        ("redis:secret", "it must be redis://"),
        ("redis://h:99999/0", "a port is 1 to 65535"),
        ("redis://:sec/ret@h:1/0", "as %2F"),
        ("redis://sec/ret@h:1/0", "as %2F"),
        ("redis://:sec#ret@h:1/0", "as %2F %3F %23"),
        ("redis://h/0#secret", "as %2F %3F %23"),
        ("redis://:sec?ret@h:1/0", "as %2F %3F"),
        ("redis://:sec[ret@h:1/0", "as %2F %3F %23 %5B"),
        ("redis://h/secret", "number of a database"),
        ("redis://h/-1", "number of a database"),
        ("redis://h?db=secret", "'db'"),
        ("redis://h?db=-1", "a number from 0"),
        ("redis://h?secret=3", "takes the options db, username, password"),
        ("redis://h?socket_timeout=3", "strategies set the others"),
        ("redis://h?ssl_cert_reqs=none", "rediss:// only"),
        ("rediss://h?ssl_cert_reqs=secret", "one of required, optional, none"),
        ("rediss://h?ssl_ca_certs=/nowhere.pem", "names no file: /nowhere.pem"),
        ("rediss://h?ssl_cert_reqs=none&ssl_check_hostname=yes", "ssl_check_hostname needs"),
        ("unix://", "third slash"),
        ("unix://secret/b.sock", "third slash"),
    ],
)
def test_what_cannot_work_is_said_in_one_line_without_repeating_it(url: str, reason: str) -> None:
    with pytest.raises(BlockpointError) as refusal:
        RedisServer.parse(url)
    said = str(refusal.value)
    assert reason in said
    assert "BLOCKPOINT_REDIS_URL" in said
    assert not [part for part in ("\n", "secret", "sec", "ret@") if part in said]


@given(st.text())
def test_no_text_is_a_crash(text: str) -> None:
    for url in (text, f"redis://{text}", f"rediss://h?{text}", f"unix://{text}"):
        try:
            server = RedisServer.parse(url)
        except BlockpointError:
            continue
        assert RedisServer.parse(server.url) == server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with family() as members, server(members, folder, PASSWORD) as made:
        yield made


@pytest.mark.e2e
@pytest.mark.parametrize(
    "form",
    [
        "redis://me:{quoted}@localhost:{port}/3/",
        "redis://127.0.0.1:{port}/?db=2&username=me&password={quoted}",
        "unix://me:{quoted}@{path}?db=4",
        "rediss://me:{quoted}@localhost:{tls}/5?ssl_cert_reqs=none",
        "rediss://me:{quoted}@localhost:{tls}/6?ssl_ca_certs={ca}&ssl_check_hostname=true",
    ],
)
def test_every_strategy_takes_every_form(guarded: Server, form: str, tmp_path: Path) -> None:
    guarded.client.flushall()
    with behind_tls(guarded.port, tmp_path) as (tls, ca):
        url = form.format(quoted=QUOTED, port=guarded.port, path=guarded.path, tls=tls, ca=ca)
        environ = {"BLOCKPOINT_REDIS_URL": url}
        submitted = "".join(
            told(name, f"{SUBMIT}{EVERY_VARIANT.format(name=name)}", environ) for name in ("arq", "celery")
        )
    assert submitted == SUBMITTED
    database = f"db{RedisServer.parse(url).database}"
    assert list(guarded.client.info("keyspace")) == [database]


@pytest.mark.e2e
@pytest.mark.parametrize("variant", ["celery/default", "celery/durable", "arq/tuned", "arq/durable"])
def test_a_target_works_behind_tls(guarded: Server, variant: str, tmp_path: Path) -> None:
    guarded.client.flushall()
    with family() as members, behind_tls(guarded.port, tmp_path) as (tls, ca):
        launch = Launch(
            members,
            Pinning(),
            SETTINGS,
            redis_url=RedisServer.parse(f"rediss://me:{QUOTED}@localhost:{tls}/8?ssl_ca_certs={ca}").url,
        )
        strategy, _, name = variant.partition("/")
        with running_target(launch, strategy, name, tmp_path) as target:
            target.preflight("sleep")
            assert guarded.client.info("keyspace").keys() == {"db8"}
    assert not guarded.client.info("keyspace")


@pytest.mark.e2e
def test_a_certificate_that_nobody_vouches_for_is_refused_by_every_library(
    guarded: Server, tmp_path: Path
) -> None:
    with behind_tls(guarded.port, tmp_path) as (tls, _):
        environ = {"BLOCKPOINT_REDIS_URL": f"rediss://me:{QUOTED}@localhost:{tls}/7"}
        for name, variant in (("celery", "durable"), ("arq", "durable")):
            with pytest.raises(AssertionError, match="CERTIFICATE_VERIFY_FAILED"):
                told(name, f"{SUBMIT}asyncio.run(submit({name!r}, {variant!r}))", environ)
    assert "db7" not in guarded.client.info("keyspace")
