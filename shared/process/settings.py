"""What a process of one service can be told beside what every server can."""

from pydantic import Field

from shared.settings import ServerSettings


class ProcessSettings(ServerSettings):
    """``python -m services``: an API or a worker of its own."""

    service: str | None = None
    """Which service this is; the image says it."""
    peer_urls: dict[str, str] = Field(default_factory=dict)
    """Where a worker reaches the APIs of other services, as JSON: ``{"careplans": "http://careplans:8080"}``. One that
    is not named is at its name's port 8080."""
    pool_size: int = Field(default=10, ge=2, le=100)
    """The most PostgreSQL connections that this process opens."""
    drain_s: float = Field(default=0.0, ge=0, le=60)
    """Seconds after SIGTERM in which requests are still answered, while ``/health/ready`` says that no more shall come:
    as long as whoever spreads the requests needs to hear of it."""
    patience_s: float = Field(default=30.0, ge=0)
    """Seconds that a starting process waits for its database before it gives up."""
