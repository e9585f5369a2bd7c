"""E-mail over SMTP (RFC 5321), one message per letter, the same Message-ID in every attempt."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.notifications.channels import Send
from services.notifications.domain.delivery import DELIVERED, Letter, Outcome, Reason, Verdict

_SECURITY: Mapping[str, Mapping[str, bool | None]] = {
    "smtp": {"use_tls": False, "start_tls": None},
    "smtp+starttls": {"use_tls": False, "start_tls": True},
    "smtps": {"use_tls": True, "start_tls": False},
}
"""Scheme -> how the connection is secured; plain ``smtp`` takes STARTTLS where the server offers it."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Who sends, through which server."""

    url: str
    sender: str
    public_url: str
    timeout: float = 10.0

    def __repr__(self) -> str:
        return "Mailbox()"


def email_channel(mailbox: Mailbox) -> Send:
    """The channel over ``mailbox``. Raises ``ValueError`` for a URL that is none of smtp, smtp+starttls, smtps."""
    server = _server(mailbox)

    async def send(letter: Letter) -> Outcome:
        try:
            await aiosmtplib.send(
                compose(letter, mailbox), sender=mailbox.sender, recipients=[letter.address], **server
            )
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            return _by_code(max(recipient.code for recipient in refusal.recipients))
        except aiosmtplib.SMTPResponseException as refusal:
            return _by_code(refusal.code)
        except ssl.SSLError:
            return Outcome(Verdict.RETRY, Reason.TLS)
        except TimeoutError:
            return Outcome(Verdict.RETRY, Reason.TIMEOUT)
        except (aiosmtplib.SMTPException, OSError):
            return Outcome(Verdict.RETRY, Reason.CONNECTION)
        return DELIVERED

    return send


def compose(letter: Letter, mailbox: Mailbox) -> EmailMessage:
    """The message: the text as subject, the text and a link as body (RFC 5322)."""
    message = EmailMessage()
    message["From"] = mailbox.sender
    message["To"] = letter.address
    message["Subject"] = letter.text
    message["Date"] = format_datetime(letter.sent)
    message["Message-ID"] = f"<{letter.id}@{mailbox.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{letter.text}\n\n{mailbox.public_url.rstrip('/')}/fhir/{letter.focus}\n")
    return message


def _by_code(code: int) -> Outcome:
    if code >= 500:
        return Outcome(Verdict.REFUSED, Reason.SMTP_PERMANENT, code)
    return Outcome(Verdict.RETRY, Reason.SMTP_TEMPORARY, code)


def _server(mailbox: Mailbox) -> dict[str, Any]:
    parts = urlsplit(mailbox.url)
    if parts.scheme not in _SECURITY or not parts.hostname:
        raise ValueError("The SMTP URL must be smtp://, smtp+starttls:// or smtps:// with a host.")
    credentials = {}
    if parts.username:
        credentials = {"username": unquote(parts.username), "password": unquote(parts.password or "")}
    return {
        "hostname": parts.hostname,
        "port": parts.port,
        "timeout": mailbox.timeout,
        **_SECURITY[parts.scheme],
        **credentials,
    }
