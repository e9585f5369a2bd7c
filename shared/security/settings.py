"""How callers are authenticated: ``CONSILIUM_AUTH``, ``CONSILIUM_JWT_*``, ``CONSILIUM_JWKS_*``."""

from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from shared.settings import ConsiliumSettings, web_address


class AuthMode(StrEnum):
    """``jwt``: every request bears a token. ``open``: nobody is asked; on loopback only."""

    JWT = "jwt"
    OPEN = "open"


class SecuritySettings(ConsiliumSettings):
    """Where the keys are and what a token must say. Without a JWKS file or URL the local key of ``data_dir`` counts."""

    auth: AuthMode = AuthMode.JWT
    """Whether callers must bear a token; ``open`` asks nobody and is for one machine alone."""
    jwt_issuer: str = "consilium-local"
    """What a token's ``iss`` must be."""
    jwt_audience: str = "consilium"
    """What a token's ``aud`` must be, or contain."""
    jwks_file: Path | None = None
    """The issuer's public keys as a JWK Set; a rotated file is noticed."""
    jwks_url: str | None = None
    """Where the issuer publishes its JWK Set; it counts where both are set."""
    peer_key: SecretStr | None = Field(default=None, min_length=32)
    """A secret of our services alone, the same for all of them and the gateway: with it they read from each other,
    and know the gateway. 32 bytes or more."""
    jwt_skew_s: float = Field(default=30.0, ge=0, le=300)
    """Seconds that an issuer's clock may run ahead of ours (``nbf``, ``iat``); ``exp`` is kept to the second."""

    @field_validator("jwks_url")
    @classmethod
    def _names_an_issuer(cls, url: str | None) -> str | None:
        return web_address(url)
