"""One objective: what has to hold, of whom, and what a file may say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from analysis.trials.questions import QUESTIONS
from results.errors import BlockpointError, unknown
from results.terms import KINDS, Stream

STREAMS: Final = {stream.column: stream for stream in Stream} | {
    stream.label.strip("/"): stream for stream in Stream
}
"""by the names that a file may use: `accept`, `ping`, `ping-sync`"""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """What has to hold; an empty part of it stands for any."""

    name: str
    subject: str = ""
    kind: str = ""
    duration_ms: float | None = None
    topology: str = ""
    at_least: Mapping[str, float] = field(default_factory=dict)
    """by question: the rate that has to hold"""
    stream: Stream | None = None
    """whose p99 is limited"""
    p99_within_ms: float | None = None
    at_rate: float | None = None
    nothing_lost_in: tuple[str, ...] = ()
    """drills after which no accepted task is missing"""

    def concerns(self, subject: str, kind: str, duration_ms: float, topology: str) -> bool:
        """Say whether it is about tasks of that kind, of that subject."""
        return (
            self.subject in ("", subject)
            and self.kind in ("", kind)
            and self.duration_ms in (None, duration_ms)
            and self.topology in ("", topology)
        )


KEYS: Final = (
    *("subject", "kind", "duration", "topology"),
    *(f"{name}_at_least" for name in QUESTIONS),
    *("stream", "p99_within", "at_rate", "nothing_lost_in"),
)
MOST_RATE_PER_S: Final = 1e6
LONGEST_MS: Final = 3_600_000.0
_UNITS: Final = (("ms", 1.0), ("s", 1000.0))


def parse(table: Any, where: str, drills: Sequence[str]) -> list[Objective]:
    """Return the objectives of `[objectives]`; raises BlockpointError that names what is wrong, and where."""
    if not isinstance(table, dict) or not table:
        raise BlockpointError(f"{where}: holds no [objectives.NAME]")
    return [_objective(name, given, f"{where}: [objectives.{name}]", drills) for name, given in table.items()]


def _objective(name: str, given: Any, where: str, drills: Sequence[str]) -> Objective:
    if not isinstance(given, dict):
        raise BlockpointError(f"{where}: is no table; write [objectives.{name}] and its keys beneath")
    for key in given:
        if key not in KEYS:
            raise BlockpointError(f"{where}: {unknown('key', str(key), KEYS)}")
    kind, stream = _text(given, "kind", where), _text(given, "stream", where)
    if kind and kind not in KINDS:
        raise BlockpointError(f"{where}: {unknown('kind', kind, KINDS)}")
    if stream and stream not in STREAMS:
        raise BlockpointError(f"{where}: {unknown('stream', stream, STREAMS)}")
    made = Objective(
        name=str(name),
        subject=_text(given, "subject", where),
        kind=kind,
        duration_ms=_milliseconds(given, "duration", where),
        topology=_text(given, "topology", where),
        at_least={
            question: rate for question in QUESTIONS if (rate := _rate(given, f"{question}_at_least", where))
        },
        stream=STREAMS.get(stream),
        p99_within_ms=_milliseconds(given, "p99_within", where),
        at_rate=_rate(given, "at_rate", where),
        nothing_lost_in=_drills(given, where, drills),
    )
    _check(made, where)
    return made


def _check(made: Objective, where: str) -> None:
    parts = (made.stream, made.p99_within_ms, made.at_rate)
    if any(part is not None for part in parts) and None in parts:
        raise BlockpointError(f"{where}: stream, p99_within and at_rate belong together")
    if not made.at_least and made.stream is None and not made.nothing_lost_in:
        raise BlockpointError(
            f"{where}: asks for nothing; give blocking_at_least, saturation_at_least, nothing_lost_in, or "
            "stream, p99_within and at_rate"
        )


def _text(given: Mapping[str, Any], key: str, where: str) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        raise BlockpointError(f"{where}: {key} = {value!r} is no text")
    return value


def _rate(given: Mapping[str, Any], key: str, where: str) -> float | None:
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MOST_RATE_PER_S:
        raise BlockpointError(f"{where}: {key} = {value!r} is no rate, of tasks in a second")
    return float(value)


def _milliseconds(given: Mapping[str, Any], key: str, where: str) -> float | None:
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, str):
        for unit, factor in _UNITS:
            number = value.strip().removesuffix(unit)
            if number != value.strip() and number.strip().replace(".", "", 1).isdigit():
                found = float(number) * factor
                if 0 < found <= LONGEST_MS:
                    return found
    raise BlockpointError(f"{where}: {key} = {value!r} is no time; write '250ms' or '1.5s'")


def _drills(given: Mapping[str, Any], where: str, drills: Sequence[str]) -> tuple[str, ...]:
    value = given.get("nothing_lost_in", [])
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise BlockpointError(f"{where}: nothing_lost_in = {value!r} is no list of drills")
    for name in names:
        if name not in drills:
            raise BlockpointError(f"{where}: {unknown('drill', name, drills)}")
    return tuple(names)
