"""Connections spread evenly over the processes that listen at one address.

uvicorn's workers share one listening socket, and whoever wakes first takes a connection: of 32 that came at
leisure, one of two idle workers was seen to get 31. A connection stays with its worker, so that a generator's
few would load the one and spare the other, where a service's many clients, or its proxy, reach both.
"""

import http.client
import json
import random
import socket
from typing import Any

from gevent.monkey import get_original

from loadtests.openloop.address import Address
from results.errors import BlockpointError

TIMEOUT_S = 10.0
MOST_TRIES = 16
"""connections opened for each that is wanted, before what was found has to do"""
_plain_socket = get_original("socket", "socket")


def spread(address: Address, processes: int, wanted: int, seed: int) -> list[Any]:
    """Open plain sockets, equally many to each process, in random order; fewer where chance allows no more.

    Raises BlockpointError where the target does not answer.
    """
    share = max(wanted // processes, 1)
    found: dict[int, list[Any]] = {}
    for _ in range(MOST_TRIES * wanted):
        opened, pid = _opened(address)
        own = found.setdefault(pid, [])
        if len(own) < share:
            own.append(opened)
        else:
            opened.close()
        if sum(map(len, found.values())) >= share * processes:
            break
    sockets = [each for own in found.values() for each in own]
    random.Random(seed).shuffle(sockets)
    return sockets


def _opened(address: Address) -> tuple[Any, int]:
    """Return a connection and the process that has accepted it."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        pid = int(json.loads(connection.getresponse().read())["pid"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        connection.close()
        raise BlockpointError(
            f"http://{address.authority}/health does not say which process answers "
            f"({type(error).__name__}); no load was sent"
        ) from None
    return _detached(connection), pid


def _detached(connection: http.client.HTTPConnection) -> Any:
    """Return a connection's socket without gevent's wrapping, ready for callbacks."""
    plain = _plain_socket(fileno=connection.sock.detach())
    plain.setblocking(False)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return plain
