"""A transport for Celery over Redis that drops what no client of ours has sent.

kombu's own raises whatever a forged message makes it raise, and Celery's worker ends by that; some of these
messages then go back into their queue, where they end the next worker.
"""

import logging
from functools import partial
from queue import Empty
from typing import Any

from celery.bootsteps import StartStopStep
from kombu.transport import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from targets.strategies.celery.messages import check_message

LOOK_MARGIN_S = 1.0
_log = logging.getLogger(__name__)


class QoS(redis.QoS):
    """Drops what cannot be put back into its queue."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put one unacknowledged message back."""
        try:
            super().restore_by_tag(tag, client, leftmost)
        except (ValueError, TypeError, RecursionError) as error:
            _log.error("dropped an unacknowledged message that cannot be read: %s", error)
            self._remove_from_indices(tag).execute()  # type: ignore[attr-defined]


class Channel(redis.Channel):
    """Drops what is no JSON."""

    QoS = QoS

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        """Return a connection's options; one that the worker's loop reads says that it was cut.

        redis-py connects again by itself since 6.0, within a read, and then waits there for what may never
        come: the loop would stand still.
        """
        options: dict[str, Any] = super()._connparams(asynchronous)  # type: ignore[misc]
        return {**options, "retry": Retry(NoBackoff(), 0)} if asynchronous else options

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]
        except (ValueError, RecursionError) as error:
            _log.error("dropped a message that is no JSON: %s", error)
            raise Empty from None


class Transport(redis.Transport):
    """Drops what is no message."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        try:
            check_message(message)
        except (ValueError, RecursionError) as error:
            _log.error("dropped what is no message from %s: %s: %.200r", queue, error, message)
            return
        super()._deliver(message, queue)


class SecondLook(StartStopStep):
    """Has a worker take back what its predecessor held as soon as that has become visible.

    The transport looks when a worker connects, when most of it is not visible yet, and again after 100 s;
    from kombu 5.7 on, as often as it is told.
    """

    requires = ("celery.worker.consumer.tasks:Tasks",)
    _planned: Any = None

    def start(self, parent: Any) -> None:
        """Plan the look: whatever was held before the worker connected is visible then."""
        channel = parent.task_consumer.channel
        look = partial(channel.qos.restore_visible, num=channel.unacked_restore_limit, interval=1)
        self._planned = parent.hub.call_later(channel.visibility_timeout + LOOK_MARGIN_S, look)

    def stop(self, parent: Any) -> None:  # noqa: ARG002
        """Give up the look: its channel is about to close."""
        if self._planned:
            self._planned.cancel()
