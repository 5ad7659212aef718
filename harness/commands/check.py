"""The command `check`: one strategy twice under two names. Whoever finds a difference has found noise."""

import dataclasses
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from harness.campaign.agenda import Agenda
from harness.campaign.conditions import Conditions
from harness.campaign.predictions import predicted_per_s, split_key
from harness.campaign.runner import unmeasured_lines
from harness.commands.skeleton import Conclusion, PlannedCommand
from harness.terminal.document import number
from harness.terminal.exits import DONE, FAULT
from harness.trial.measurement import Limits, Measuring
from results.errors import BlockpointError
from results.schema import Plan
from results.store import Campaign

if TYPE_CHECKING:
    from analysis.trials.agreement import Comparison, Pair

NAMES = ("a", "b")
PROFILE = "check"
BYSTANDERS_PER_S = 100.0
"""five times the usual: a p99 of a few seconds needs them"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckRequest(Conditions):
    """What `check` was asked for."""

    strategy: str
    kind: str
    duration_ms: float
    topology: str
    rate_per_s: float | None
    fraction: float
    """of the predicted ceiling; where no rate is given"""
    seconds: float
    pairs: int
    attempts: int
    slip_limit_ms: float = 0.0
    """lateness of the generator that is let pass, since both names meet it; 0 keeps the gate's own limit"""


class CheckCommand(PlannedCommand[CheckRequest]):
    """Measures pairs and compares them."""

    name = "check"

    def __init__(self, request: CheckRequest) -> None:
        super().__init__(request)
        self.attempts = request.attempts

    def agenda(self) -> Agenda:
        """Return the pairs."""
        return Agenda(profile=PROFILE, plans=planned_pairs(self.request))

    def left(self, campaign: Campaign) -> list[Plan]:
        """Return all of its trials."""
        if campaign.manifest.profile != PROFILE:
            raise BlockpointError(f"{campaign.folder} is no check")
        return campaign.manifest.plans

    def procedure(self, _: Campaign) -> Measuring:
        """Return a plain measurement."""
        request = self.request
        return Measuring(Limits(foreign_cores=request.max_foreign_cores, quiet_wait_s=request.quiet_wait))

    def conclude(self, campaign: Campaign) -> Conclusion:
        """Compare; its code is 0 where all are measured and none differs, else 1."""
        return compare_pairs(campaign, self.console, self.say)


def planned_pairs(request: CheckRequest) -> list[Plan]:
    """Return the trials: pairs that meet the same schedule, each trial on a target of its own.

    Which of a pair comes first is random, so that a drift of the machine falls on neither name. A plan's
    `repeat` is twice its pair's number, and one more for the second name.
    """
    rate = request.rate_per_s or _rate(request)
    shuffle = random.Random(request.seed).shuffle
    ordered = []
    for pair in range(request.pairs):
        both = [
            Plan(
                trial_id=f"pair{pair + 1:03d}-{name}",
                subject="/".join(split_key(request.strategy)),
                kind=request.kind,
                duration_ms=request.duration_ms,
                scenario="steady",
                rate_per_s=rate,
                seconds=request.seconds,
                seed=request.seed + pair,
                repeat=2 * pair + second,
                topology=request.topology,
                bystander_per_s=BYSTANDERS_PER_S,
                options=["--slip-limit-ms", f"{request.slip_limit_ms:g}"],
            )
            for second, name in enumerate(NAMES)
        ]
        shuffle(both)
        ordered += both
    return ordered


def compare_pairs(campaign: Campaign, console: Console, say: Callable[[str], None]) -> Conclusion:
    """Print what differs, how often pairs cry wolf by themselves, and what was left out."""
    from analysis.trials.agreement import RELEVANT, compare, false_alarms

    lacking = list(unmeasured_lines(campaign))
    complete, left_out = _complete(campaign, lacking, say)
    pairs = list(complete.values())
    found = compare(pairs)
    console.print(_differences(found))
    say(
        f"{len(pairs)} pairs; a difference counts where its whole interval is beyond a factor of {RELEVANT:g}"
    )
    alarms = {metric: round(share * len(pairs)) for metric, share in false_alarms(pairs).items()}
    told = ", ".join(f"{metric} {count}/{len(pairs)}" for metric, count in alarms.items())
    say(f"false alarms of pairs judged alone: {told}")
    document = {
        "pairs": len(pairs),
        "pairs_left_out": [pair + 1 for pair in left_out],
        "not_measured": lacking,
        "relevant_factor": RELEVANT,
        "metrics": [_compared(each) | {"false_alarms": alarms[each.metric]} for each in found],
    }
    return Conclusion(FAULT if lacking or any(each.differs for each in found) else DONE, document)


def _complete(
    campaign: Campaign, lacking: Sequence[str], say: Callable[[str], None]
) -> tuple[dict[int, "Pair"], list[int]]:
    """Return the pairs of valid trials by number, and the numbers of those that are none, which are named."""
    from analysis.trials.agreement import figures
    from analysis.trials.load import read_trial

    sealed = campaign.trials()
    runs = {trial.plan.repeat: figures(read_trial(campaign, trial)) for trial in sealed if trial.valid}
    for trial in sealed:
        if not trial.valid:
            say(f"left out: {trial.plan.trial_id}, attempt {trial.attempt}: {'; '.join(trial.reasons)}")
    for line in lacking:
        say(line)
    numbers = range(len(campaign.manifest.plans) // 2)
    whole = [n for n in numbers if {2 * n, 2 * n + 1} <= runs.keys()]
    both: dict[int, Pair] = {n: (runs[2 * n], runs[2 * n + 1]) for n in whole}
    left_out = [number for number in numbers if number not in both]
    for pair in left_out:
        say(f"left out: pair {pair + 1}, which lacks a valid trial")
    if not both:
        raise BlockpointError(f"{campaign.folder}: no pair is valid; continue with --resume and --attempts")
    return both, left_out


def _differences(found: Sequence["Comparison"]) -> Table:
    table = Table("metric", "a / b", "95 % interval", "difference", box=None, pad_edge=False)
    for each in found:
        verdict = "FOUND" if each.differs else "none found" + (", but shaky" if each.shaky else "")
        interval = f"{each.low:.3f} to {each.high:.3f}"
        table.add_row(each.metric, f"{each.ratio:.3f}", interval, verdict)
    return table


def _compared(each: "Comparison") -> dict[str, Any]:
    return {
        "metric": each.metric,
        **number("ratio", each.ratio),
        **number("ratio_low", each.low),
        **number("ratio_high", each.high),
        "difference_found": bool(each.differs),
        "shaky": bool(each.shaky),
    }


def _rate(request: CheckRequest) -> float:
    ceiling = predicted_per_s(
        request.strategy,
        request.settings,
        request.kind,
        request.duration_ms,
        request.topology,
        placement=request.placement,
    )
    if ceiling is None:
        raise BlockpointError(
            f"theory knows no ceiling of {request.strategy}: say which --rate to measure at"
        )
    return float(f"{request.fraction * ceiling:.4g}")
