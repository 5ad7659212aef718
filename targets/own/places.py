"""Where the modules of the user's task are looked for: after ours, and nowhere by accident."""

import importlib.abc
import importlib.machinery
import os
import site
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Final

OURS: Final = ("blockpoint", "results", "targets", "loadtests", "harness", "analysis")
"""packages that no other can have the name of here"""


class OnlyThat(importlib.abc.MetaPathFinder):
    """Finds one top-level package or module in a folder, and nothing else that lies there."""

    def __init__(self, name: str, folder: str) -> None:
        self._name, self._folder = name, folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find it where it is what is looked for."""
        if path is not None or fullname != self._name:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [self._folder], target)


def make_findable(path: str, folder: str, name: str) -> None:
    """Let this process find the modules in the folders of `path`, and in `folder` that of one name.

    Each is appended, so that what is here already wins; a folder's `.pth` files count, as for the
    `site-packages` that it may be.
    """
    for place in filter(None, path.split(os.pathsep)):
        site.addsitedir(place)
    if folder:
        sys.meta_path.append(OnlyThat(name, folder))
