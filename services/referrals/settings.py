"""The service's settings."""

from shared.settings import ServerSettings


class ReferralsSettings(ServerSettings):
    """Nothing of its own yet beside what every server has."""
