"""The mail server of the sink: it takes every mail, as late as the mail's own header says, and keeps none."""

import asyncio
import re
from typing import TYPE_CHECKING

from results.errors import BlockpointError

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

MOST_MS = 60_000.0
MOST_BYTES = 1_048_576
DELAY = re.compile(rb"(?im)^X-Delay-Ms: ([0-9]{1,5}(?:\.[0-9]{1,6})?)\r$")


class LateAcceptance:
    """What aiosmtpd asks about each mail."""

    async def handle_DATA(self, _server: "SMTP", _session: "Session", envelope: "Envelope") -> str:  # noqa: N802
        """Accept the mail after its delay."""
        headers, _, _ = (envelope.original_content or b"").partition(b"\r\n\r\n")
        asked = DELAY.search(headers + b"\r\n")
        await asyncio.sleep(min(float(asked[1]), MOST_MS) / 1000 if asked else 0)
        return "250 2.0.0 accepted, and thrown away"


def mail_connection() -> "SMTP":
    """Return the protocol of one connection; raises BlockpointError where aiosmtpd is not installed."""
    try:
        from aiosmtpd.smtp import SMTP
    except ImportError as error:
        raise BlockpointError(f"no mail server: {error}; run `make setup`") from None
    return SMTP(LateAcceptance(), hostname="localhost", data_size_limit=MOST_BYTES)
