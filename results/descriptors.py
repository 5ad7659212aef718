"""How many files and connections a process may have open."""

import contextlib
import resource


def allow_many() -> None:
    """Raise this process's soft limit to the hard one: thousands of calls under way are as many sockets."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
