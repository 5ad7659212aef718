"""The roles of a trial's processes: each has its cores, and its processor time and memory are recorded."""

from typing import Final

OF_THE_TARGET: Final = ("web", "worker", "broker")
ROLES: Final = (*OF_THE_TARGET, "generator")
