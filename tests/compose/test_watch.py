"""What is watched exists, and everything that can be is."""

import json
import re
from typing import Any

import yaml
from prometheus_client import generate_latest

from loadtests.openloop.live import COUNTED, MEASURED
from targets.metrics import Metrics
from targets.probes import Probes
from targets.settings import Settings
from targets.waiting import Waiting

from .composefile import ROOT, read

WATCH = ROOT / "watch"
BOARD = json.loads((WATCH / "grafana" / "board.json").read_text())
DOCS = (ROOT / "docs" / "watching.md").read_text()


def watched(file: str) -> Any:
    return yaml.safe_load((WATCH / file).read_text())


def test_every_metric_on_the_board_exists_and_is_documented() -> None:
    told = {
        *(f"blockpoint_load_{name}_total" for name in (*COUNTED, "ended", "failed")),
        *(f"blockpoint_load_{name}" for name in (*MEASURED, "latency_seconds")),
    }
    metrics = Metrics(Probes(None), None, Waiting("", [], Settings()))
    served = set(re.findall(r"^# TYPE (\w+) ", generate_latest(metrics.registry).decode(), re.MULTILINE))
    asked = [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    on_board = {name for expr in asked for name in re.findall(r"blockpoint_\w+", expr)}
    assert on_board <= told | served
    assert told | on_board <= set(re.findall(r"blockpoint_\w+", DOCS))
    source = watched("grafana/source.yml")["datasources"][0]["uid"]
    assert {panel["datasource"]["uid"] for panel in BOARD["panels"]} == {source}


def test_prometheus_scrapes_every_target_and_locust() -> None:
    services = read()["services"]
    web = {f"{name}:8000" for name, service in services.items() if "uvicorn" in service.get("command", [])}
    jobs = {
        job["job_name"]: job["static_configs"][0]["targets"]
        for job in watched("prometheus.yml")["scrape_configs"]
    }
    assert set(jobs["target"]) == web
    added = watched("compose.yml")["services"]
    command = added["locust"]["command"]
    assert (
        command[: len(services["locust"]["command"])]
        == yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["locust"]["command"]
    )
    assert [f"locust:{command[-1].rpartition(':')[2]}"] == jobs["generator"]


def test_what_watches_is_confined_and_reached_from_the_loopback_only() -> None:
    added = watched("compose.yml")["services"]
    for name in ("prometheus", "grafana"):
        assert added[name]["cap_drop"] == ["ALL"]
        assert added[name]["networks"] == ["load"]
    assert added["grafana"]["ports"] == ["127.0.0.1:3000:3000"]
    mounted = [each.split(":")[0] for name in ("prometheus", "grafana") for each in added[name]["volumes"]]
    assert all((ROOT / path).is_file() for path in mounted)
