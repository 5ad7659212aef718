"""What whoever asks an agent has to know: a token, from a variable or a file that is its user's alone."""

import os
import secrets
import stat
from pathlib import Path
from typing import Final, NamedTuple

from results.errors import BlockpointError

VARIABLE: Final = "BLOCKPOINT_AGENT_TOKEN"
SHORTEST: Final = 16
MOST_BYTES: Final = 4096
OTHERS: Final = 0o077
"""bits of a mode that let somebody else in"""


class Token(NamedTuple):
    """A secret, and whether it was made just now."""

    secret: str
    new: bool = False


def token_file() -> Path:
    """Return where the token is kept."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "blockpoint" / "agent-token"


def known_token() -> str:
    """Return the token; raises BlockpointError where there is none, or others may read it."""
    found = _given() or _kept(token_file())
    if not found:
        raise BlockpointError(
            f"no token: set {VARIABLE} to what the agent printed when it was first started, "
            f"or put it into {token_file()} with mode 0600"
        )
    return found


def agents_token() -> Token:
    """Return the agent's own token, which is made and kept at its first start; raises like `known_token`."""
    if found := _given() or _kept(token_file()):
        return Token(found)
    path, made = token_file(), secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{made}\n")
    except OSError as error:
        raise BlockpointError(
            f"{path}: the token cannot be kept there ({error.strerror}); set {VARIABLE}"
        ) from None
    return Token(made, new=True)


def _given() -> str:
    return _sound(os.environ.get(VARIABLE, ""), VARIABLE)


def _kept(path: Path) -> str:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno())
            text = file.read(MOST_BYTES)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise BlockpointError(f"{path}: cannot be read ({error.strerror})") from None
    if mode.st_uid != os.geteuid() or stat.S_IMODE(mode.st_mode) & OTHERS:
        raise BlockpointError(f"{path}: others may read it; make a new token, and `chmod 600` the file")
    return _sound(text.decode(errors="replace").strip(), str(path))


def _sound(text: str, where: str) -> str:
    if text and (len(text) < SHORTEST or not text.isascii() or not text.isprintable()):
        raise BlockpointError(f"{where}: a token is at least {SHORTEST} plain characters long")
    return text
