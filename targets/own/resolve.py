"""From a name to the user's callable; whatever is wrong there is one line, and about their code."""

import functools
import hashlib
import importlib
import inspect
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from results.errors import BlockpointError, lookup, unknown
from targets.own.places import OURS

GROUP: Final = "blockpoint.tasks"
"""entry points that name tasks"""


def module_of(name: str) -> str:
    """Return the module part of `module:callable`; empty for the name of an entry point."""
    module, colon, _ = name.partition(":")
    return module if colon else ""


def resolve(name: str) -> Callable[..., Any]:
    """Return the callable of that name; raises BlockpointError with the last line of their traceback."""
    where = name if module_of(name) else _registered(name)
    module, _, path = where.partition(":")
    top = module.partition(".")[0]
    if top in OURS:
        raise BlockpointError(f"{where}: {top} is a package of Blockpoint's own; rename yours")
    found: Any = _imported(module)
    for part in path.split("."):
        if not hasattr(found, part):
            raise unknown(f"callable in {module}", path, _callables(found))
        found = getattr(found, part)
    if not callable(found):
        raise BlockpointError(f"{where} is no callable but {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def is_coroutine(function: Callable[..., Any]) -> bool:
    """Say whether a call of it has to be awaited."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    call = getattr(type(function), "__call__", None)  # noqa: B004 -- of an object that can be called
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def source_digest(function: Callable[..., Any]) -> str:
    """Return the SHA-256 of the file that defines it; empty where there is none."""
    try:
        path = inspect.getsourcefile(inspect.unwrap(function))
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""
    except (TypeError, OSError):
        return ""


def last_line(error: BaseException) -> str:
    """Return the last line of a traceback, with where in the user's code it was raised."""
    said = " ".join(traceback.format_exception_only(error)[-1].split())
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not _is_machinery(f.filename)]
    return f"{said} ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else said


def _imported(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise BlockpointError(f"cannot import {module}: {last_line(error)}") from error


def _is_machinery(filename: str) -> bool:
    ours = Path(__file__).parents[1]
    return filename.startswith("<frozen") or filename == importlib.__file__ or ours in Path(filename).parents


def _registered(name: str) -> str:
    found = {entry.name: entry.value for entry in metadata.entry_points(group=GROUP)}
    if not found:
        raise BlockpointError(
            f"--task {name} is no module:callable, and no package here registers tasks in {GROUP}"
        )
    return lookup(f"task in the entry points {GROUP}", name, found)


def _callables(module: Any) -> list[str]:
    return [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
