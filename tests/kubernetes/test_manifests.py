"""What the manifests promise: names that lead somewhere, and the same processes as Compose."""

import re

import pytest
import yaml

from targets.metrics import GAUGES
from targets.registry import find, split_name
from targets.settings import Settings
from tests.compose.composefile import read

from .manifests import (
    FOLDER,
    OVERLAYS,
    ROOT,
    Document,
    command,
    container,
    environment,
    labels,
    of_kind,
    pod,
    selects,
)

SERVICES = read()["services"]
AUTOSCALED = "celery-tuned-autoscaled"
HERS = {"UVICORN_HOST", "UVICORN_PORT", "PATH"} | {"UVICORN_LOOP", "UVICORN_HTTP", "BLOCKPOINT_SLOTS"}
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def deployments(overlay: str) -> dict[str, Document]:
    return of_kind(overlay, "Deployment")


def workers(overlay: str) -> list[Document]:
    return [each for name, each in deployments(overlay).items() if name.startswith("worker")]


def service(overlay: str) -> Document:
    """Compose's service of the same target."""
    app = command(overlay, deployments(overlay)["target"])[-1].removeprefix("targets.app:")
    found: Document = SERVICES[app.replace("_", "-")]
    return found


@each_overlay
def test_every_selector_takes_what_it_should_and_nothing_else(overlay: str) -> None:
    of_pods = {name: labels(each) for name, each in deployments(overlay).items()}
    for name, each in deployments(overlay).items():
        assert [other for other, of in of_pods.items() if selects(each["spec"]["selector"], of)] == [name]
    for name, each in of_kind(overlay, "Service").items():
        taken = [
            other for other, of in of_pods.items() if selects({"matchLabels": each["spec"]["selector"]}, of)
        ]
        assert taken == [name]
        listening = {
            port["name"]: port["containerPort"] for port in container(deployments(overlay)[name])["ports"]
        }
        for port in each["spec"]["ports"]:
            assert port["port"] == listening[port["targetPort"]]
    for each in of_kind(overlay, "NetworkPolicy").values():
        assert any(selects(each["spec"]["podSelector"], of) for of in of_pods.values())


@each_overlay
def test_every_pod_has_whole_cores_of_its_own_and_is_confined(overlay: str) -> None:
    for each in deployments(overlay).values():
        spec, only = pod(each), container(each)
        assert only["resources"]["requests"] == only["resources"]["limits"]
        assert only["resources"]["limits"].keys() == {"cpu", "memory"}
        assert re.fullmatch(r"\d+", only["resources"]["limits"]["cpu"])
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert (spec["enableServiceLinks"], spec["automountServiceAccountToken"]) == (False, False)
        assert "livenessProbe" not in only
        mounted = {mount["name"] for mount in only["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}


@each_overlay
def test_the_generator_shares_no_node_with_any_part_of_the_target(overlay: str) -> None:
    generators = {name: each for name, each in deployments(overlay).items() if name.startswith("locust")}
    others = deployments(overlay).keys() - generators.keys()
    for each in generators.values():
        affinity = pod(each)["affinity"]["podAntiAffinity"]
        (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        apart = {
            name
            for name, other in deployments(overlay).items()
            if selects(term["labelSelector"], labels(other))
        }
        assert apart == others


@each_overlay
def test_target_and_workers_are_those_of_compose(overlay: str) -> None:
    target, theirs = deployments(overlay)["target"], service(overlay)
    variables = environment(overlay, target)
    assert command(overlay, target) == theirs["command"]
    assert HERS & theirs["environment"].keys() == HERS & variables.keys()
    assert {name: variables[name] for name in HERS & variables.keys()} == {
        name: theirs["environment"][name] for name in HERS & variables.keys()
    }
    redis = theirs["environment"].get("BLOCKPOINT_REDIS_URL", "").replace("//redis:", "//valkey:")
    assert variables.get("BLOCKPOINT_REDIS_URL", "") == redis
    expected = [name for name in theirs.get("depends_on", []) if name != "redis"]
    assert len(workers(overlay)) == len(expected)
    for each in workers(overlay):
        assert environment(overlay, each) == variables
        (same,) = [
            name for name in expected if _name(SERVICES[name]["command"]) == _name(command(overlay, each))
        ]
        cores = variables["BLOCKPOINT_CORES"]
        assert _without(cores, command(overlay, each)) == _without("2", SERVICES[same]["command"])
        check = container(each)["startupProbe"]["exec"]["command"]
        kind, *asked = SERVICES[same]["healthcheck"]["test"]
        assert check == (["sh", "-c", *asked] if kind == "CMD-SHELL" else asked)


def _name(parts: list[str]) -> str:
    """What tells a strategy's workers apart: the queue, where they have one."""
    return parts[parts.index("-Q") + 1] if "-Q" in parts else ""


def _without(cores: str, parts: list[str]) -> list[str]:
    """The command without the number of cores, which is the machine's."""
    return ["CORES" if part == cores else part for part in parts]


@each_overlay
def test_a_ledger_is_kept_only_where_all_its_processes_share_a_pod(overlay: str) -> None:
    ledger = environment(overlay, deployments(overlay)["target"])["BLOCKPOINT_LEDGER"]
    assert bool(ledger) == (not workers(overlay))


@each_overlay
def test_the_servers_and_images_are_those_of_compose(overlay: str) -> None:
    for name, each in deployments(overlay).items():
        redis = SERVICES["redis"]
        if name == "valkey":
            assert container(each)["image"] == redis["image"]
            assert container(each)["command"] == redis["command"]
        else:
            assert container(each)["image"] == SERVICES["inline"]["image"]
    watched = yaml.safe_load((ROOT / "watch" / "compose.yml").read_text())["services"]["locust"]["command"]
    ours = command(overlay, deployments(overlay)["locust"])
    assert [part.replace("target:", "inline:") for part in ours] == [
        part.replace("${BLOCKPOINT_SCENARIO:-steady}", "steady") for part in watched
    ]
    followers = command(overlay, deployments(overlay)["locust-worker"])
    assert followers == SERVICES["locust-worker"]["command"]


@each_overlay
def test_every_host_that_is_named_is_a_service(overlay: str) -> None:
    services = of_kind(overlay, "Service")
    for each in deployments(overlay).values():
        variables = environment(overlay, each)
        text = " ".join([*command(overlay, each), *variables.values()])
        assert set(re.findall(r"(?:http|redis)://([\w-]+):", text)) <= services.keys()
        assert variables.get("LOCUST_MASTER_NODE_HOST", "locust") in services


def test_what_scales_asks_for_metrics_that_the_adapter_serves_and_the_target_tells() -> None:
    (scaler,) = of_kind(AUTOSCALED, "HorizontalPodAutoscaler").values()
    assert scaler["spec"]["scaleTargetRef"]["name"] in deployments(AUTOSCALED)
    rules = yaml.safe_load((FOLDER / "overlays" / AUTOSCALED / "adapter.yaml").read_text())["rules"][
        "external"
    ]
    series = [rule["seriesQuery"].partition("{")[0] for rule in rules]
    served = {rule.get("name", {}).get("as", name) for rule, name in zip(rules, series, strict=True)}
    told = {"tasks_total", "queue_depth_tasks", *GAUGES}
    assert {name.removeprefix("blockpoint_") for name in series} <= told
    asked = [metric["external"]["metric"] for metric in scaler["spec"]["metrics"]]
    assert {metric["name"] for metric in asked} == served
    strategy, variant = split_name(environment(AUTOSCALED, deployments(AUTOSCALED)["target"])["TARGET"])
    queues = find(strategy).build(variant, Settings()).queues
    chosen = [metric["selector"]["matchLabels"]["queue"] for metric in asked if "selector" in metric]
    assert set(chosen) <= set(queues)


def test_what_scales_follows_the_rule_of_the_docs() -> None:
    """80 % of c/S for what comes, and 5 s of c/S for what waits, at 100 ms."""
    (scaler,) = of_kind(AUTOSCALED, "HorizontalPodAutoscaler").values()
    slots = int(environment(AUTOSCALED, deployments(AUTOSCALED)["target"])["BLOCKPOINT_SLOTS"])
    wanted = {
        metric["external"]["metric"]["name"]: float(metric["external"]["target"]["averageValue"])
        for metric in scaler["spec"]["metrics"]
    }
    carried_per_s = slots / 0.1
    assert wanted == {
        "blockpoint_accepted_tasks_per_second": 0.8 * carried_per_s,
        "blockpoint_queue_depth_tasks": 5 * carried_per_s,
    }


def test_every_overlay_is_documented() -> None:
    text = (ROOT / "docs" / "kubernetes.md").read_text()
    assert set(re.findall(r"kubernetes/overlays/([\w-]+)", text)) == set(OVERLAYS)
