"""What the gateway can be told by environment variables."""

from pydantic import Field

from shared.settings import ServerSettings


class GatewaySettings(ServerSettings):
    """``CONSILIUM_...`` variables. Sizes are bytes, times are seconds."""

    referrals_url: str = "http://referrals:8080"
    """Where the gateway reaches the API of referrals."""
    careplans_url: str = "http://careplans:8080"
    """Where the gateway reaches the API of careplans."""
    notifications_url: str = "http://notifications:8080"
    """Where the gateway reaches the API of notifications."""
    max_bundle_bytes: int = Field(default=32 * 1024 * 1024, gt=0)
    """The largest batch or transaction that is taken."""
    max_resource_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    """The largest body of any other request."""
    capability_seconds: float = Field(default=60.0, ge=0)
    """How long a merged CapabilityStatement is served before the services are asked again."""
    upstream_timeout_seconds: float = Field(default=60.0, gt=0)
    """The longest silence of a service within one answer; event streams may be silent for ever."""
    prepared_s: float = Field(default=30.0, ge=1, le=30)
    """The longest that a transaction over several services takes, and holds its locks; what is left of one by then is
    brought to its end. Pages and exports count on it that a write is through within a minute."""
