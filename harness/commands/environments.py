"""The command `environments`: the libraries and servers of strategies, made before they are needed."""

from collections.abc import Iterator, Sequence

from harness.target import brokers
from harness.target.environments import environment_of
from harness.target.versions import Pinned
from targets.registry import find, installed


def environments(strategies: Sequence[str], *, servers: bool = True) -> Iterator[str]:
    """Make what is asked for and yield a line for each; raises BlockpointError where one cannot be made.

    An image whose brokers run beside it does without their servers.
    """
    for name in strategies or [name for name, _ in installed()]:
        broker = find(Pinned.parse(name).strategy).broker
        yield f"{name:20} {environment_of(name).python}"
        if servers:
            brokers.look(broker)
