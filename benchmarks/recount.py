"""Counts the tasks of a sealed trial again, one by one, from its files alone.

It shares no code with what it checks: parquet and JSON are read as they are, and the numbers of moments and
outcomes stand here once more.
"""

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ACCEPTED = 0
"""an outcome; the others are none"""
RECEIVED, TAKEN, STARTED, FINISHED, FAILED, CANCELLED = range(1, 7)


@dataclass(frozen=True)
class Recount:
    """What became of the tasks that the client saw accepted."""

    accepted: int
    finished: int
    failed: int
    running: int
    """in a process that lived when the trial ended"""
    waiting: int
    """named by the broker, or in the memory of a web process that lived"""
    gone: int


def recount(trial: Path) -> tuple[dict[str, Any], Recount]:
    """Return a trial's document and the recount of its rows."""
    document = json.loads((trial / "trial.json").read_text())
    manifest = json.loads((trial.parents[1] / "manifest.json").read_text())
    (subject,) = (
        s for s in manifest["subjects"] if f"{s['strategy']}/{s['variant']}" == document["plan"]["subject"]
    )
    lived, held = set(document["survivors"]), set()
    if (trial / "holdings.parquet").exists():
        held = set(pq.read_table(trial / "holdings.parquet").column("task_id").to_pylist())
    moments = defaultdict(list)
    for event in pq.read_table(trial / "events.parquet").to_pylist():
        moments[event["task_id"]].append(event)
    fates = [
        _fate(moments[request["task_id"]], subject, lived, named=request["task_id"] in held)
        for request in pq.read_table(trial / "requests.parquet").to_pylist()
        if request["outcome"] == ACCEPTED
    ]
    kinds = ("finished", "failed", "running", "waiting", "gone")
    return document, Recount(accepted=len(fates), **{kind: fates.count(kind) for kind in kinds})


def _fate(events: list[dict[str, Any]], subject: dict[str, Any], lived: set[int], *, named: bool) -> str:
    if any(event["moment"] == FINISHED for event in events):
        return "finished"
    last_allowed = subject["max_attempts"]
    if any(event["moment"] == FAILED and event["attempt"] >= last_allowed for event in events):
        return "failed"
    open_runs: dict[int, int] = defaultdict(int)
    for event in events:
        if event["moment"] >= STARTED:
            open_runs[event["pid"]] += 1 if event["moment"] == STARTED else -1
    if any(runs > 0 and pid in lived for pid, runs in open_runs.items()):
        return "running"
    in_memory = not subject["queues"] and not open_runs
    taken = any(event["moment"] <= TAKEN and event["pid"] in lived for event in events)
    return "waiting" if named or (in_memory and taken) else "gone"
