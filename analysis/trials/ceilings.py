"""The ceiling of every subject over a whole range of task durations, from the law of its service."""

from typing import Final

import numpy as np
import pandas as pd

from analysis.queueing import saturation_rate
from analysis.trials.cores import usable_cores
from results.schema import Manifest

_PLACES: Final = 240


def ceilings(manifest: Manifest, points: pd.DataFrame, durations_ms: tuple[float, float]) -> pd.DataFrame:
    """Return `strategy`, `variant`, `duration_ms` and `ceiling_per_s` at many durations of a range.

    `points` are rows of `analysis.trials.points.find_points` with one kind and topology. A subject without a
    ceiling has no row. One that was served in another way than the manifest says (in a topology of more
    cores, say) has only the ceilings of its trials.
    """
    found = [
        _law(manifest, str(strategy), str(variant), own, durations_ms)
        for (strategy, variant), own in points.groupby(["strategy", "variant"])
    ]
    columns = ["strategy", "variant", "duration_ms", "ceiling_per_s"]
    return pd.concat([table[columns] for table in found]).dropna(ignore_index=True)


def _law(
    manifest: Manifest, strategy: str, variant: str, own: pd.DataFrame, durations_ms: tuple[float, float]
) -> pd.DataFrame:
    subject = manifest.subject(f"{strategy}/{variant}")
    kind, topology = str(own["kind"].iloc[0]), str(own["topology"].iloc[0])
    measured = own.drop_duplicates("duration_ms").sort_values("duration_ms")
    service = subject.services.get(kind)
    if service is None:
        return measured
    cores = usable_cores(manifest, topology, "worker" if subject.workers else "web")
    lasting = manifest.traffic.lasting
    expected = [
        saturation_rate(service, kind, float(each), cores, lasting) for each in measured["duration_ms"]
    ]
    if not np.allclose(np.array(expected, float), measured["ceiling_per_s"], rtol=0.01, equal_nan=True):
        return measured
    places = np.geomspace(*durations_ms, _PLACES)
    rates = [saturation_rate(service, kind, float(each), cores, lasting) for each in places]
    law = pd.DataFrame({"duration_ms": places, "ceiling_per_s": np.array(rates, float)})
    return law.assign(strategy=strategy, variant=variant)
