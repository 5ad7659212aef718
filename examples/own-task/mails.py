"""A welcome mail over SMTP, as a service sends it after a registration."""

import asyncio
import smtplib
from email.message import EmailMessage

HOST, PORT = "127.0.0.1", 8025


def welcome(address: str = "new.user@example.org") -> None:
    """Send it, over a connection of its own."""
    with smtplib.SMTP(HOST, PORT, local_hostname="localhost", timeout=10) as server:
        server.send_message(_mail(address))


async def welcome_in_a_thread(address: str = "new.user@example.org") -> None:
    """Send it from a coroutine, which awaits a thread."""
    await asyncio.to_thread(welcome, address)


def _mail(address: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "service@example.org"
    mail["To"] = address
    mail["Subject"] = "Welcome"
    mail["X-Delay-Ms"] = "50"  # the server of this example accepts the mail so late
    mail.set_content("Your account is ready.\n")
    return mail
