"""By which release of Blockpoint a question or an answer was made."""

from importlib import metadata
from typing import Final

HEADER: Final = "Blockpoint-Release"
RELEASE: Final = metadata.version("blockpoint")
