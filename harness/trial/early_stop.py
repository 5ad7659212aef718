"""Sees during a trial that its work falls so far behind that the rest of the load would teach nothing."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

GROWTH = 0.15
"""share of the arrivals that has to stay behind, chance aside, before a trial is called hopeless"""
WARM_UP_SHARE = 0.2
EARLIEST_SHARE = 0.4
"""of the schedule that is walked in any case"""
SERVICES = 3
"""service times that are waited for in any case, so that slots that fill up do not look like a backlog"""
BYSTANDERS = 100
"""requests to each bystander that are wanted after the warm-up, for a p99 to mean something"""
FIRST_GAPS = 7.0
"""mean gaps between arrivals that the first one may come after the schedule's start"""
LIMITS_WAITED = 3.0
"""a new task would have to wait this many limits: a stream that shares the queue has crossed its limit"""


class Look(NamedTuple):
    """What is known of a trial at one moment after its first task."""

    at_s: float
    ended: int
    backlog: float
    """tasks that came by then, by the rate, and have not ended"""


@dataclass
class Watch:
    """Follows one trial at a fixed rate from the number of its tasks that have ended.

    What is due by now is known from the rate, as long as the schedule lasts; what a blocked target has not
    even read yet counts too. The schedule began between two looks: arrivals are counted from the later one,
    which makes them no more than came, and its end is expected from the earlier one.

    A target that stands still for a moment leaves a backlog, too, and is not overloaded: it works that off.
    So the growth has to persist, and the work to go on.
    """

    rate_per_s: float
    seconds: float
    duration_ms: float
    limit_ms: float
    bystander_per_s: float
    _silent_s: float | None = field(default=None, init=False)
    """the last look at which no task had come"""
    _seen_s: float | None = field(default=None, init=False)
    """the first look at which one had"""
    _looks: list[Look] = field(default_factory=list, init=False)
    """those after the warm-up"""

    def look(self, at_s: float, begun: int, ended: int) -> str:
        """Return why to stop, or an empty text; `begun` and `ended` tasks since the trial began.

        Once all arrivals may have come, nothing is hopeless any more: the rest is the drain's.
        """
        if self._silent_s is None or not begun:
            self._silent_s = at_s
        if not begun:
            return ""
        self._seen_s = at_s if self._seen_s is None else self._seen_s
        over = at_s - self._silent_s + FIRST_GAPS / self.rate_per_s >= self.seconds
        return "" if over else self._judge(at_s - self._seen_s, ended)

    def _judge(self, elapsed_s: float, ended: int) -> str:
        if elapsed_s < max(WARM_UP_SHARE * self.seconds, self.duration_ms / 1000):
            return ""
        now = Look(elapsed_s, ended, self.rate_per_s * elapsed_s - ended)
        self._looks.append(now)
        first = self._looks[0]
        if now is first or elapsed_s < self._earliest_s(first.at_s):
            return ""
        watched_s = elapsed_s - first.at_s
        came, stayed = self.rate_per_s * watched_s, now.backlog - first.backlog
        surely = stayed - 3 * math.sqrt(came)
        rest_per_s = max(self.rate_per_s - stayed / watched_s, 1 / self.seconds)
        waits_ms = now.backlog / rest_per_s * 1000
        far_behind = surely > GROWTH * came and waits_ms >= LIMITS_WAITED * self.limit_ms
        if not far_behind or not self._persists(first.at_s + watched_s / 2):
            return ""
        share = f"{stayed / came:.0%} of the arrivals stayed behind"
        return f"{share} after {elapsed_s:.1f} of {self.seconds:g} s"

    def _persists(self, middle_s: float) -> bool:
        """Say whether the work goes on and even the least backlog of the later half has grown, chance aside.

        What a standstill leaves is gone with it, so that the least backlog of a span that is longer is none.
        """
        early = [look for look in self._looks if look.at_s < middle_s]
        late = [look for look in self._looks if look.at_s >= middle_s]
        least_before, least_since = (min(look.backlog for look in half) for half in (early, late))
        came = self.rate_per_s * (middle_s - early[0].at_s)
        surely = least_since - least_before - 2 * math.sqrt(came)
        return late[-1].ended > late[0].ended and surely > GROWTH * came

    def _earliest_s(self, from_s: float) -> float:
        return max(
            EARLIEST_SHARE * self.seconds,
            SERVICES * self.duration_ms / 1000,
            from_s + BYSTANDERS / self.bystander_per_s if self.bystander_per_s else 0.0,
        )
