"""Mails to the SMTP server of the sink, as applications send them: over a connection each."""

import smtplib
from email.message import EmailMessage

from targets.task import MAX_DURATION_MS

LIMIT_S = MAX_DURATION_MS / 1000 + 10
"""longer than the longest delay"""
OWN_NAME = "localhost"
"""given, since smtplib and aiosmtplib would else ask the resolver for this host's full name"""
_TEXT = "Welcome!\n\nYour account is ready.\n"


def send(address: str, delay_ms: float) -> None:
    """Mail to the server at `host:port`, which accepts so late; blocking."""
    host, _, port = address.partition(":")
    with smtplib.SMTP(host, int(port), OWN_NAME, LIMIT_S) as server:
        server.send_message(_mail(delay_ms))


async def send_awaiting(address: str, delay_ms: float) -> None:
    """Send the same without blocking the event loop."""
    import aiosmtplib

    host, _, port = address.partition(":")
    await aiosmtplib.send(
        _mail(delay_ms),
        hostname=host,
        port=int(port),
        local_hostname=OWN_NAME,
        timeout=LIMIT_S,
        start_tls=False,
    )


def _mail(delay_ms: float) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "service@example.org"
    mail["To"] = "new.user@example.org"
    mail["Subject"] = "Welcome"
    mail["X-Delay-Ms"] = f"{delay_ms:.3f}"
    mail.set_content(_TEXT)
    return mail
