"""Numbers and times as a person writes them."""

import math
from collections.abc import Sequence


def number(value: float) -> str:
    """Return a number as a person writes it: 0.5, 40, 1,500."""
    if not math.isfinite(value):
        return "n/a"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))) - 1)
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{round(value):,}"


def milliseconds(value: float) -> str:
    """Return a time in ms with the unit that suits it: 0.5 ms, 40 ms, 2.5 s."""
    if not math.isfinite(value):
        return "n/a"
    return f"{number(value)} ms" if abs(value) < 999.5 else f"{number(value / 1000)} s"


def percent(share: float) -> str:
    """Return a share in per cent with two digits, never rounded to 0 or to all."""
    if math.isnan(share):
        return "n/a"
    if 0 < share < 0.0005:
        return "< 0.1 %"
    if 0.995 <= share < 1:
        return "> 99 %"
    return f"{number(share * 100)} %"


def listed(parts: Sequence[str]) -> str:
    """Return the parts within a sentence: `a, b and c`."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
