"""Every manifest is what Kubernetes' own API takes."""

import copy
from typing import Any

import pytest

from .manifests import INSTALL, OVERLAYS, built


@pytest.fixture(scope="module")
def api() -> Any:
    return pytest.importorskip("kubernetes_validate", reason=f"no schemas: {INSTALL}")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_document_is_of_the_api(api: Any, overlay: str) -> None:
    for document in built(overlay):
        api.validate(document, api.latest_version(), strict=True)


def test_a_field_that_is_not_of_the_api_is_found(api: Any) -> None:
    (first, *_) = [each for each in built(OVERLAYS[0]) if each["kind"] == "Deployment"]
    wrong = copy.deepcopy(first)
    wrong["spec"]["template"]["spec"]["enableServiceLink"] = False
    with pytest.raises(api.ValidationError, match="enableServiceLink"):
        api.validate(wrong, api.latest_version(), strict=True)
