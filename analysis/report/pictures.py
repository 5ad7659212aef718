"""The pictures of README and docs, drawn from published campaigns.

A page shows one as `![words](images/FOLDER/CHART.png)`, of which FOLDER is one of `JOINED` or within
`results/published`, and CHART a name of the catalogue.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import pandas as pd

from analysis.charts.catalogue import catalogue
from analysis.charts.conditions import machine
from analysis.charts.style import to_png
from analysis.drills.derive import Drills, derive_drills
from analysis.trials.derive import Derived, read_derived
from results.errors import BlockpointError
from results.schema import Manifest
from results.store import open_campaign

ROOT: Final = Path(__file__).parents[2]
PUBLISHED: Final = ROOT / "results" / "published"
IMAGES: Final = ROOT / "docs" / "images"
JOINED: Final = {"from-1ms-to-30s": ("from-1ms-to-1s", "long-tasks-10s", "long-tasks-30s")}
"""campaigns of equal conditions and other durations, whose charts are drawn as one"""
_SHOWN: Final = re.compile(r"\]\((?:docs/)?images/(?P<path>[\w-]+/[\w-]+\.png)\)")


@dataclass(frozen=True)
class _Together(Derived):
    """The tables of several campaigns; the manifest is the first one's."""

    every: Sequence[Derived] = ()

    @cached_property
    def points(self) -> pd.DataFrame:
        """Each judged by its own campaign."""
        return pd.concat([each.points for each in self.every], ignore_index=True)


def shown_in(text: str) -> list[Path]:
    """Return the pictures that a page shows, each once."""
    return [IMAGES / path for path in dict.fromkeys(found["path"] for found in _SHOWN.finditer(text))]


def picture(path: Path) -> bytes:
    """Return what the file of a picture is to hold; raises BlockpointError where its name is of none."""
    return drawn(tables(path.parent.name), path.stem)


def drawn(of: Derived | Drills, name: str) -> bytes:
    """Return a chart of a campaign's tables as PNG; raises BlockpointError where it has none of that name."""
    for chart in catalogue(of):
        if chart.name == name and chart.draw:
            return to_png(chart.draw())
    raise BlockpointError(f"{of.folder.name} has no chart {name!r}")


@cache
def tables(name: str) -> Derived | Drills:
    """Return the tables of a published campaign, or of several that are joined; raises BlockpointError."""
    if name in JOINED:
        return _joined([read_derived(PUBLISHED / each) for each in JOINED[name]])
    folder = PUBLISHED / name
    drilled = any(plan.drill for plan in open_campaign(folder).manifest.plans)
    return derive_drills(folder) if drilled else read_derived(folder)


def _joined(every: Sequence[Derived]) -> Derived:
    first = every[0]
    for each in every:
        if _conditions(each.manifest) != _conditions(first.manifest):
            raise BlockpointError(f"{each.folder.name}: of other conditions than {first.folder.name}")
    summary, predictions = (
        pd.concat([getattr(each, name) for each in every], ignore_index=True)
        for name in ("summary", "predictions")
    )
    return _Together(first.folder, first.manifest, summary, pd.DataFrame(), predictions, every=every)


def _conditions(manifest: Manifest) -> tuple[object, ...]:
    """Return what the caption of a chart says of a whole campaign."""
    return machine(manifest), manifest.traffic, manifest.slots, manifest.limit_ms, manifest.seed
