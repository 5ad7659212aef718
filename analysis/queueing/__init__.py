"""What theory says about a strategy before it is measured: its ceiling, its waits and where it blocks.

The ceilings come with the package, since the harness places rates with them: they import no more than
`math`. The modules beside them (`waits`, `trace`, `replay`, `blocking`) need numpy and are imported by name.
"""

from analysis.queueing.ceilings import CLAIM_S, backlog_growth, saturation_rate, utilisation

__all__ = ["CLAIM_S", "backlog_growth", "saturation_rate", "utilisation"]
