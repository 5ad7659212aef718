"""Who answers at the target's address, and what it offers: asked before any load is sent."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

from loadtests.openloop.address import Address
from loadtests.openloop.service_address import ServiceAddress, identity_of
from results.errors import BlockpointError
from results.terms import BYSTANDERS, OFFERED_BY_ALL, Stream

TIMEOUT_S = 10.0
OURS = "blockpoint"
"""the service that every target of ours says it is"""
MOST_PROCESSES = 1000


def identify(address: Address, *, expect: str = "", expect_nonce: str = "") -> dict[str, Any]:
    """Return the target's `/health`; raises BlockpointError unless it is the expected Blockpoint target.

    `expect` is `STRATEGY/VARIANT`; an empty expectation is none.
    """
    if isinstance(address, ServiceAddress):
        return identity_of(address.asked)
    where = f"http://{address.authority}"
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        body = answer.read(1_000_000)
    except ConnectionRefusedError:
        raise BlockpointError(
            f"nothing listens at {where}; start a target with: blockpoint serve STRATEGY"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise BlockpointError(
            f"{where}/health does not answer like a Blockpoint target ({type(error).__name__}); "
            "no load was sent"
        ) from None
    finally:
        connection.close()
    try:
        health = json.loads(body)
    except ValueError:
        health = None
    if answer.status != 200 or not isinstance(health, dict) or health.get("service") != OURS:
        raise BlockpointError(
            f"{where} is some other service (GET /health: status {answer.status}); no load was sent"
        )
    found = f"{health.get('strategy')}/{health.get('variant')}"
    if expect and found != expect:
        raise BlockpointError(f"{where} serves {found}, not {expect}; no load was sent")
    if expect_nonce and health.get("nonce") != expect_nonce:
        raise BlockpointError(f"{where} is another instance of {found} than expected; no load was sent")
    return health


def bystanders(health: Mapping[str, Any]) -> list[Stream]:
    """Return the bystanders that a target offers, by its `/health`: what everyone offers, and its own."""
    subject = health.get("subject")
    own = subject.get("bystanders") if isinstance(subject, dict) else None
    named = own if isinstance(own, list) else []
    by_all = OFFERED_BY_ALL if health.get("service") == OURS else ()
    return [stream for stream in BYSTANDERS if stream in by_all or stream.column in named]


def web_processes(identity: Mapping[str, Any]) -> int:
    """Return how many processes answer there, by what a target says of itself; 1 where it does not."""
    conditions = identity.get("conditions")
    told = conditions.get("web_processes") if isinstance(conditions, dict) else None
    return told if isinstance(told, int) and 1 <= told <= MOST_PROCESSES else 1
