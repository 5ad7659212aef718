"""A client for ARQ over Redis that drops what no client of ours has sent.

ARQ's own raises whatever a forged entry makes it raise, and its worker ends by that, again and again.
"""

import logging
import math
from typing import Any

from arq.connections import ArqRedis

_log = logging.getLogger(__name__)


class CheckedRedis(ArqRedis):
    """A client that drops forged entries of the queue, which would end the durable worker again and again."""

    async def zrangebyscore(self, name: Any, min: Any, max: Any, *more: Any, **options: Any) -> Any:  # noqa: A002
        """Return entries whose names are text and whose scores are numbers."""
        lowest = "(-inf" if min == -math.inf else min
        entries = await super().zrangebyscore(name, lowest, max, *more, **options)
        if forged := [entry for entry in entries if not _is_text(entry)]:
            _log.error("dropped %d entries of %s that are no text: %.200r", len(forged), name, forged)
            await self.zrem(name, *forged)
        return [entry for entry in entries if entry not in forged]


def _is_text(entry: bytes) -> bool:
    try:
        entry.decode()
    except UnicodeDecodeError:
        return False
    return True
