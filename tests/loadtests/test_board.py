"""Every question of the board in `watch/`, asked of what a real run and a real target serve."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from harness.target.cores import Pinning
from harness.target.processes import Family
from harness.target.redis_broker import embedded_redis
from tests.loadtests.conftest import ROOT, Locust, free_port, served, wait_until

WATCH = ROOT / "watch"
PANELS = json.loads((WATCH / "grafana" / "board.json").read_text())["panels"]
EXPRESSION = re.compile(
    r"(?P<sum>sum(?: by \((?P<by>[\w, ]+)\) )?\()?(?P<rate>rate\()?"
    r"(?P<metric>\w+)(?:\{(?P<matchers>[^}]*)\})?(?:\[(?P<window_s>\d+)s\])?\)*"
)
"""of PromQL what the board needs"""
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
Labels = dict[str, str]


def asked(expression: str) -> re.Match[str]:
    found = EXPRESSION.fullmatch(expression)
    assert found, expression
    return found


def scraped(url: str, job: str) -> Iterator[Metric]:
    """Yield what Prometheus has of a scrape: it adds labels of its own."""
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", timeout=10).text):
        for sample in family.samples:
            sample.labels.update(job=job, instance=url)
        yield family


def fits(labels: Labels, name: str, how: str, value: str) -> bool:
    told = labels.get(name, "")
    same = bool(re.fullmatch(value, told)) if "~" in how else told == value
    return same != how.startswith("!")


def series(expression: str, metrics: Iterable[Metric]) -> list[Labels]:
    """Return the labels of what an expression finds; raises KeyError for one that is not there."""
    question, found = asked(expression), []
    for family in metrics:
        for sample in family.samples:
            matchers = MATCHER.findall(question["matchers"] or "")
            if sample.name == question["metric"] and all(fits(sample.labels, *each) for each in matchers):
                assert (family.type == "counter") == bool(question["rate"]), f"{expression}: a {family.type}"
                found.append(sample.labels)
    if not question["sum"]:
        return found
    by = re.findall(r"\w+", question["by"] or "")
    return [dict(each) for each in {tuple((name, labels[name]) for name in by) for labels in found}]


def legend(target: dict[str, Any], labels: Labels) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels[name[1]], target["legendFormat"])


def test_every_rate_spans_two_scrapes() -> None:
    every = yaml.safe_load((WATCH / "prometheus.yml").read_text())["global"]["scrape_interval"]
    for panel in PANELS:
        for target in panel["targets"]:
            question = asked(target["expr"])
            assert bool(question["rate"]) == bool(question["window_s"]), target["expr"]
            if question["window_s"]:
                assert int(question["window_s"]) >= 2 * int(every.removesuffix("s")), target["expr"]


@pytest.mark.e2e
def test_no_panel_is_empty_and_every_line_has_a_name(
    locust: Locust, members: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    generator = f"http://127.0.0.1:{port}"

    def told() -> bool:
        try:
            text = httpx.get(f"{generator}/metrics", timeout=10).text
        except httpx.TransportError:
            return False
        return all(f'latency_seconds{{path="{path}"' in text for path in ("/tasks", "/ping", "/ping-sync"))

    with embedded_redis(members, tmp_path / "broker", Pinning()) as broker:
        monkeypatch.setenv("BLOCKPOINT_REDIS_URL", broker.url)
        monkeypatch.setenv("BLOCKPOINT_LEDGER", str(tmp_path))
        with served("celery_tuned", tmp_path, "--no-access-log") as target:
            run = ("--rate", "50", "--seconds", "60", "--metrics", f"127.0.0.1:{port}")
            locust.start("steady", "--headless", "--only-summary", "--host", target.url, *run)
            wait_until(told)
            metrics = [*scraped(generator, "generator"), *scraped(target.url, "target")]
    for panel in PANELS:
        found = [(each, labels) for each in panel["targets"] for labels in series(each["expr"], metrics)]
        assert {each["refId"] for each, _ in found} == {each["refId"] for each in panel["targets"]}
        names = [legend(each, labels) for each, labels in found]
        assert len(set(names)) == len(names), panel["title"]
        assert all(name == name.strip() != "" for name in names), panel["title"]
