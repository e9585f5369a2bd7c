"""What an operator sets for notifications, from the environment (prefix ``CONSILIUM_``)."""

from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from shared.settings import ServerSettings

SMTP_SCHEMES = ("smtp", "smtp+starttls", "smtps")


class NotificationSettings(ServerSettings):
    """Channels and their limits."""

    smtp_url: SecretStr | None = None
    """``smtp://``, ``smtp+starttls://`` or ``smtps://``, with ``user:password@host:port``; without one, no e-mail."""
    smtp_from: str = "consilium@localhost"
    """The sender's mailbox; its domain ends every Message-ID."""
    webhook_allow_http: bool = False
    """Plain http to a webhook: for development only."""
    webhook_allow_private: bool = False
    """Webhooks to loopback, private and link-local addresses: for development, or inside one trusted network."""
    channel_timeout: float = Field(default=10.0, gt=0, le=30)
    """Seconds for one attempt over any channel; stays well below the lease of a claimed delivery."""
    delivery_concurrency: int = Field(default=16, ge=1, le=256)
    """Deliveries that one worker tries at the same moment."""
    stream_heartbeat: int = Field(default=15, ge=1)
    """Seconds between the stream's heartbeats."""
    stream_max_age: int = Field(default=3600, ge=1)
    """Seconds until a stream ends, so that the client comes back with a fresh token."""

    @field_validator("smtp_url")
    @classmethod
    def _names_a_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        try:
            parts = urlsplit(url.get_secret_value() if url else "smtp://none")
            well = parts.scheme in SMTP_SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            # its own text repeats a port that is none
            well = False
        if not well:
            raise ValueError("a URL looks like smtp://, smtp+starttls:// or smtps:// with user:password@host:port")
        return url

    @property
    def links_to(self) -> str:
        """The base URL of links: without a public one, our port on this machine."""
        return self.public_url or f"http://127.0.0.1:{self.port}"
