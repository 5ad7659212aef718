"""What an agent does: it starts one target at a time, follows it, tells of it, and ends it."""

import contextlib
import hashlib
import platform
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import numpy as np

from harness.agent import messages as m
from harness.agent.machine import machine
from harness.campaign.host import HERE
from harness.target.cores import Pinning, available_cores
from harness.target.processes import family
from harness.target.target import Launch, Target, running_target
from harness.trial.noise import await_quiet
from harness.trial.observation import LOGS, Observation
from results.clock import boot_id
from results.columns import LEDGER_RECORD
from results.errors import BlockpointError, lookup
from results.findings import Noise
from results.terms import KINDS
from targets.settings import STARTERS, Settings, variable

LEASE_S: Final = 30.0
"""a target of which nobody has asked for so long is ended"""
PATIENCE_S: Final = 5.0
"""with a call that is under way when the agent is ended"""
_FOREIGN: Final = frozenset(map(variable, STARTERS))
"""settings that nobody chooses from elsewhere"""
Say = Callable[[str], object]


@dataclass
class Up:
    """A target that is up, and what follows it."""

    name: str
    asker: str
    launch: Launch
    target: Target
    held: contextlib.ExitStack
    sampling: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    observation: Observation | None = None
    records: np.ndarray = field(default_factory=lambda: np.empty(0, LEDGER_RECORD))

    def following(self) -> Observation:
        """Return what follows it; raises BlockpointError where nothing does."""
        if self.observation is None:
            raise BlockpointError(f"nothing follows {self.target.subject.key} yet")
        return self.observation

    def end(self) -> None:
        """End what follows it, and then itself."""
        with self.held, self.sampling:
            pass


class Agent:
    """Answers one call at a time but for the few that nothing has to be started or waited for."""

    def __init__(self, host: str, say: Say, lease_s: float = LEASE_S) -> None:
        self._host = host
        self._say = say
        self._lease_s = lease_s
        self._heard_s = time.monotonic()
        self._one = threading.Lock()
        self._up: Up | None = None
        self._why_ended = "it never ran here"
        self._at_once: dict[str, tuple[Any, Callable[[Any], m.Message]]] = {
            "clock": (m.Nothing, _time),
            "about": (m.Nothing, _about),
            "renew": (m.Of, self._renew),
        }
        self._calls: dict[str, tuple[Any, Callable[[Any], m.Message | Noise]]] = {
            "look": (m.Look, self._look),
            "start": (m.Start, self._start),
            "check": (m.Of, self._check),
            "preflight": (m.Preflight, self._preflight),
            "quiet": (m.Quiet, self._quiet),
            "observe": (m.Of, self._observe),
            "sample": (m.Sample, self._sample),
            "sampled": (m.Of, self._sampled),
            "counts": (m.Of, self._counts),
            "drained": (m.Of, self._drained),
            "collect": (m.Collect, self._collect),
            "records": (m.Piece, self._records),
            "end": (m.Of, self._end),
        }

    def knows(self, call: str) -> bool:
        """Say whether there is such a call."""
        return call in self._at_once or call in self._calls

    def answer(self, call: str, question: bytes) -> bytes:
        """Return the answer to a call that it knows; raises BlockpointError where it cannot be done."""
        kind, do = (self._at_once | self._calls)[call]
        try:
            asked = msgspec.msgpack.decode(question, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BlockpointError(f"{call}: not a question of ours: {error}") from None
        with contextlib.nullcontext() if call in self._at_once else self._one:
            return msgspec.msgpack.encode(do(asked))

    def tend(self) -> None:
        """End a target of which nobody has asked for too long."""
        if self._up is None or time.monotonic() - self._heard_s <= self._lease_s:
            return
        with self._one:
            silent_s = time.monotonic() - self._heard_s
            if self._up and silent_s > self._lease_s:
                self._drop(f"nothing was heard of {self._up.asker} for {silent_s:.0f} s")

    def close(self) -> None:
        """End the target that is up; one that is only starting ends with this process."""
        if self._one.acquire(timeout=PATIENCE_S):
            self._drop("the agent is ended")

    def _drop(self, why: str) -> None:
        up, self._up = self._up, None
        if up:
            self._why_ended = why
            up.end()
            self._say(f"{up.target.subject.key}: ended: {why}")

    def _of(self, asked: m.Of) -> Up:
        """Return the target that is asked for, this thread being moved out of its way."""
        up = self._up
        if up is None or up.name != asked.target:
            raise BlockpointError(f"the agent has ended this target: {self._why_ended}")
        self._heard_s = time.monotonic()
        up.launch.pinning.apply(0, "harness")
        return up

    def _renew(self, asked: m.Of) -> m.Nothing:
        self._of(asked)
        return m.Nothing()

    def _look(self, asked: m.Look) -> m.Found:
        self._refuse_busy()
        for kind in asked.wanted.kinds:
            _check_kind(kind)
        pinning = _pinning(asked.pinning)
        pinning.apply(0, "harness")
        with family() as members:
            found = HERE.look(asked.wanted, members, pinning, "")
        return m.Found(described=found.described, calibration=found.calibration)

    def _refuse_busy(self) -> None:
        if self._up:
            raise BlockpointError(f"the agent has a target up for {self._up.asker}: wait for it")

    def _start(self, asked: m.Start) -> m.Started:
        self._refuse_busy()
        settings = {name: value for name, value in asked.settings.items() if name not in _FOREIGN}
        name, pinning = secrets.token_hex(8), _pinning(asked.pinning)
        with contextlib.ExitStack() as held:
            members = held.enter_context(family())
            launch = Launch(
                members,
                pinning,
                Settings.from_environment(settings),
                asked.loop,
                asked.http,
                host=self._host,
                needs=frozenset(asked.needs),
            )
            logs = members.folder / LOGS
            logs.mkdir()
            target = held.enter_context(running_target(launch, asked.strategy, asked.variant, logs))
            self._up = Up(name, asked.asker, launch, target, held.pop_all())
            self._heard_s = time.monotonic()
        self._say(f"{target.subject.key}: up at {target.url} for {asked.asker}")
        port = int(target.url.rpartition(":")[2])
        return m.Started(target=name, port=port, nonce=target.nonce, subject=target.subject)

    def _check(self, asked: m.Of) -> m.Nothing:
        self._of(asked).target.check()
        return m.Nothing()

    def _preflight(self, asked: m.Preflight) -> m.Nothing:
        _check_kind(asked.kind)
        self._of(asked).target.preflight(asked.kind)
        return m.Nothing()

    def _quiet(self, asked: m.Quiet) -> Noise:
        up = self._of(asked)
        ours = [child.pid for child in up.target.children()]
        return await_quiet(up.launch.pinning.used, ours, asked.foreign_cores, asked.longest_s)

    def _observe(self, asked: m.Of) -> m.Nothing:
        up = self._of(asked)
        up.sampling.close()
        up.observation = Observation(up.launch, up.target, up.launch.family.folder)
        return m.Nothing()

    def _sample(self, asked: m.Sample) -> m.Nothing:
        up = self._of(asked)
        up.sampling.enter_context(up.following().sampling(asked.beside))
        return m.Nothing()

    def _sampled(self, asked: m.Of) -> m.Nothing:
        self._of(asked).sampling.close()
        return m.Nothing()

    def _counts(self, asked: m.Of) -> m.Counted:
        following = self._of(asked).following()
        following.look()
        begun, ended = following.counts()
        return m.Counted(begun=begun, ended=ended)

    def _drained(self, asked: m.Of) -> m.Drained:
        following = self._of(asked).following()
        following.look()
        return m.Drained(drained=following.drained())

    def _collect(self, asked: m.Collect) -> m.Collected:
        up = self._of(asked)
        seen, up.observation = up.following().seen(drained=asked.drained), None
        up.records = np.ascontiguousarray(seen.events)
        return m.Collected(
            rows=len(up.records),
            sha256=hashlib.sha256(up.records.data).hexdigest(),
            resources={name: column.tolist() for name, column in seen.resources.items()},
            held={
                int(look): {place: sorted(ids) for place, ids in found.items()}
                for look, found in seen.held.items()
            },
            survivors=sorted(seen.survivors),
            web=sorted(seen.web),
            spoilt=list(seen.spoilt),
        )

    def _records(self, asked: m.Piece) -> m.Records:
        return m.Records(data=self._of(asked).records[asked.begin : asked.begin + m.PIECE_ROWS].tobytes())

    def _end(self, asked: m.Of) -> m.Nothing:
        if self._up and self._up.name == asked.target:
            self._drop("its command is done with it")
        return m.Nothing()


def _time(_: m.Nothing) -> m.Time:
    return m.Time(read_ns=time.monotonic_ns(), boot_id=boot_id())


def _check_kind(kind: str) -> None:
    """Raise BlockpointError for a kind of task that is none of this release's."""
    lookup("kind", kind, KINDS)


def _about(_: m.Nothing) -> m.About:
    return m.About(
        host=platform.node(),
        machine=machine(),
        cores=list(available_cores()),
        environment=HERE.environment(),
    )


def _pinning(described: dict[str, Any]) -> Pinning:
    """Return the pinning that was asked for; raises BlockpointError where a core is not there.

    Where no generator is beside the target, this process has the core that it would have.
    """
    try:
        pinning = Pinning.described(described)
    except msgspec.ValidationError as error:
        raise BlockpointError(f"no pinning: {error}") from None
    if missing := sorted(set(pinning.used).difference(available_cores())):
        raise BlockpointError(f"core {missing[0]} is not available on {platform.node()}")
    free = sorted(set(available_cores()).difference(pinning.used))
    return pinning if pinning.generator or not pinning.used else replace(pinning, generator=tuple(free))
