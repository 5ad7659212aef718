"""A campaign of drills like a real one: strategies that lose, hide, repeat and keep."""

from pathlib import Path

from results.store import Campaign
from tests.analysis.synthetic_drills import DrillCell, build_drills

REPEATS = 5


def cells(repeats: int = REPEATS) -> list[DrillCell]:
    """Return the drills of five subjects, some of which do not concern all of them."""
    made = []
    for repeat in range(repeats):
        for strategy, variant, loss in (
            ("background_tasks", "default", "loses"),
            ("threadpool", "tuned", "loses"),
        ):
            common = {
                "strategy": strategy,
                "variant": variant,
                "broker": False,
                "attempts": 1,
                "repeat": repeat,
            }
            made += [
                DrillCell("kill-web", then=loss, down=True, summary="SIGKILL to the web process", **common),  # type: ignore[arg-type]
                DrillCell("poison-raise", poison="raise", summary="every fifth task raises", **common),  # type: ignore[arg-type]
            ]
        for strategy, variant, then in (
            ("celery", "default", "loses"),
            ("celery", "tuned", "hides"),
            ("arq", "tuned", "repeats"),
        ):
            common = {"strategy": strategy, "variant": variant, "repeat": repeat}
            made += [
                DrillCell("kill-web", down=True, summary="SIGKILL to the web process", **common),  # type: ignore[arg-type]
                DrillCell("kill-worker", then=then, summary="SIGKILL to the whole worker", **common),  # type: ignore[arg-type]
                DrillCell(
                    "hang-broker", slow_ms=450, summary="SIGSTOP to the broker, then SIGCONT", **common
                ),  # type: ignore[arg-type]
                DrillCell("poison-raise", poison="raise", summary="every fifth task raises", **common),  # type: ignore[arg-type]
                DrillCell(
                    "poison-kill", poison="kill", summary="every fifth task kills its process", **common
                ),  # type: ignore[arg-type]
            ]
    made.append(
        DrillCell("kill-worker", "celery", "tuned", then="hides", reasons=["slip p99 2 ms"], repeat=9)
    )
    made.append(
        DrillCell("too-short-window", "celery", "tuned", reasons=["accounts: 3 tasks are unaccounted for"])
    )
    return made


def make(folder: Path, repeats: int = REPEATS, jobs: int = 1) -> Campaign:
    """Write the campaign."""
    return build_drills(folder, cells(repeats), jobs)
