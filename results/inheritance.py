"""What a process that we start takes over from whoever called us: this list, and nothing else.

A library reads variables of its own (`CELERY_BROKER_URL`, `WEB_CONCURRENCY`, `LOCUST_RUN_TIME`, `PYTHONPATH`,
`https_proxy`), and a shell holds them for another program: passed on, they would change what is measured, or
whose queue is emptied.
"""

import os
import site
from collections.abc import Mapping
from pathlib import Path
from typing import Final

PASSED_ON: Final = {
    "PATH": "programs are found by it",
    "HOME": "caches, such as the fonts of a chart",
    "USER": "who we are where no account is registered, as in containers",
    "LOGNAME": "the same",
    "LANG": "the encoding of texts",
    "LC_ALL": "the same",
    "LC_CTYPE": "the same",
    "LOCALE_ARCHIVE": "where NixOS keeps what LANG names",
    "TZ": "the time zone in logs",
    "TZDIR": "where NixOS keeps what TZ names",
    "LD_LIBRARY_PATH": "where the libraries of a Python lie that was not installed by the system",
    "DYLD_LIBRARY_PATH": "the same on macOS",
    "DYLD_FALLBACK_LIBRARY_PATH": "the same on macOS",
    "NIX_LD": "the loader of foreign wheels on NixOS",
    "NIX_LD_LIBRARY_PATH": "their libraries",
    "SSL_CERT_FILE": "whom a broker's certificate may come from (rediss://)",
    "SSL_CERT_DIR": "the same",
    "NIX_SSL_CERT_FILE": "the same on NixOS",
    "OPENBLAS_CORETYPE": "a processor that OpenBLAS, in numpy, takes for another one and crashes on",
    "BLOCKPOINT_RUNS": "tells the processes of one command from another's",
}
"""each variable that is passed on, and what needs it"""

_ROOMS: Final = Path(__file__).parents[1]
_OURS: Final = {
    "PYTHONSAFEPATH": "1",  # no module is taken from the working directory
    "PYTHONUNBUFFERED": "1",  # last words reach the log
    **({"PYTHONPATH": str(_ROOMS)} if _ROOMS.name == "rooms" else {}),  # see blockpoint.__main__
    "SPT_NOENV": "1",  # setproctitle, which Celery uses where it finds it, leaves the environment readable
}


def inherited(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment that a process of ours begins with; whoever starts it adds what it is told."""
    passed_on = {name: environ[name] for name in PASSED_ON if name in environ}
    # packages that pip installed with --user are found wherever HOME points
    user = {"PYTHONUSERBASE": site.getuserbase()} if site.ENABLE_USER_SITE else {}
    return {**passed_on, **user, **_OURS}
