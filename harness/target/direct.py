"""HTTP requests to a target of ours: straight to it, whatever proxy the surroundings name."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get_json(url: str, within_s: float) -> Any:
    """Return the JSON document found there; raises OSError where none comes, ValueError where it is none."""
    with _OPENER.open(url, timeout=within_s) as reply:
        return json.load(reply)


def post_json(url: str, document: Mapping[str, object], within_s: float) -> None:
    """Send a JSON document; raises OSError where it is not accepted."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps(document).encode(), headers)
    try:
        _OPENER.open(request, timeout=within_s).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()
        raise
