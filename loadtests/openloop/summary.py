"""A run in a few lines, for people."""

from collections.abc import Iterator

import numpy as np

from loadtests.openloop import figures
from loadtests.openloop.recorder import Rows
from results.load import Load
from results.terms import ENOUGH_FOR_P99, OFFERED_BY_ALL, REQUEST, Stream


def _name(stream: Stream) -> str:
    return "accept" if stream is Stream.TASKS else stream.label


def _streams(load: Load, rows: Rows) -> list[Stream]:
    """Return the streams to tell of: one that few targets offer only where it was sent."""
    by_all = OFFERED_BY_ALL if load.kind != REQUEST.name else ()
    told = {Stream.TASKS, *by_all, *np.unique(rows["stream"]).tolist()}
    return [stream for stream in Stream if stream in told]


def _latency(ns: np.ndarray) -> str:
    """Return the median and the p99 of a stream's answers; of too few, their maximum and number."""
    if not len(ns):
        return "no answer"
    p50, p99 = figures.percentiles_ms(ns, 50, 99)
    if len(ns) < ENOUGH_FOR_P99:
        return f"p50 {p50:9.2f} ms   max {ns.max() / 1e6:9.2f} ms   of {len(ns)}"
    return f"p50 {p50:9.2f} ms   p99 {p99:9.2f} ms"


def _remarks(load: Load, rows: Rows, part: np.ndarray) -> Iterator[str]:
    """Yield what a reader has to know of a run besides its verdict."""
    if load.shed and not load.reasons:
        waited_ms = figures.shed_wait_ms(rows, load.in_flight_max, part)
        yield f"the target did not answer: requests had waited {waited_ms:,.0f} ms when others were shed"
    counts = {_name(stream): len(figures.latency_ns(rows, stream, part)) for stream in _streams(load, rows)}
    if few := [f"{name} {count}" for name, count in counts.items() if count < ENOUGH_FOR_P99]:
        yield f"few samples ({', '.join(few)}): a p99 needs {ENOUGH_FOR_P99}"


def text(load: Load, rows: Rows) -> str:
    """Return the summary of a run and the gate's verdict; latencies after warm-up, from due to reply."""
    seconds = sum(step.to_ns - step.from_ns for step in load.steps) / 1e9
    part = figures.measured(rows, load.steps)
    subject = f"{load.identity.get('strategy', '?')}/{load.identity.get('variant', '?')}"
    loop = " (closed loop)" if load.closed else ""
    lines = [
        "",
        f"{load.scenario}{loop} against {subject}: {load.kind}, {seconds:.1f} s, seed {load.seed}",
        (
            f"  offered    {load.scheduled} tasks, {load.scheduled / max(seconds, 1e-9):.1f}/s; "
            f"achieved {load.achieved_ratio:.1%}"
        ),
        (
            f"  outcome    {load.accepted} accepted, {load.rejected} rejected, {load.refused} refused, "
            f"{load.unknown} unknown, {load.shed} shed"
        ),
    ]
    lines += [
        *(
            f"  {_name(each):<10} {_latency(figures.latency_ns(rows, each, part))}"
            for each in _streams(load, rows)
        ),
        (
            f"  slip       p50 {load.slip_p50_ms:9.2f} ms   p99 {load.slip_p99_ms:9.2f} ms   "
            f"p99.9 {load.slip_p999_ms:.2f} ms ({load.timer})"
        ),
        f"  generator  {load.cpu_cores:.2f} cores, at most {load.in_flight_max} in flight",
        "  gate: passed" if not load.reasons else "  gate: NOT VALID",
        *(f"    {reason}" for reason in load.reasons),
        *(f"    {remark}" for remark in _remarks(load, rows, part)),
        "",
    ]
    return "\n".join(lines)
