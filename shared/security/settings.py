"""How callers are authenticated: ``CONSILIUM_AUTH``, ``CONSILIUM_JWT_*``, ``CONSILIUM_JWKS_*``."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field

from shared.settings import ConsiliumSettings


class AuthMode(StrEnum):
    """``jwt``: every request bears a token. ``open``: nobody is asked; on loopback only."""

    JWT = "jwt"
    OPEN = "open"


class SecuritySettings(ConsiliumSettings):
    """Where the keys are and what a token must say. Without a JWKS file or URL the local key of ``data_dir`` counts."""

    auth: AuthMode = AuthMode.JWT
    jwt_issuer: str = "consilium-local"
    jwt_audience: str = "consilium"
    jwks_file: Path | None = None
    jwks_url: str | None = None
    jwt_skew_s: float = Field(default=30.0, ge=0, le=300)
    """Seconds that an issuer's clock may run ahead of ours (``nbf``, ``iat``); ``exp`` is kept to the second."""
