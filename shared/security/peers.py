"""How our own services know each other: tokens of minutes, signed with a secret that all of them share (RFC 7519).

They are no issuer's: whoever has the secret is the system, like whoever has the database's password."""

import time
from collections.abc import Callable
from typing import Any

import jwt

from shared.errors import Unauthenticated
from shared.security.caller import Caller, internal
from shared.security.tokens import Verifier

ISSUER = "consilium-peer"
LIVES_S = 300
RENEWED_S = 60
"""Before its end, a token is made anew."""
SHORTEST = 32
"""Bytes of the secret (RFC 7518, section 3.2)."""
_ALGORITHM = "HS256"


class PeerTokens:
    """The Authorization header of ``service``, made anew in time."""

    def __init__(self, service: str, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._service, self._secret, self._now = service, secret, now
        self._header, self._until = "", 0.0

    def header(self) -> str:
        """``Bearer ...``"""
        now = self._now()
        if now > self._until - RENEWED_S:
            self._until = now + LIVES_S
            claims = {"iss": ISSUER, "aud": ISSUER, "sub": self._service, "exp": int(self._until)}
            self._header = f"Bearer {jwt.encode(claims, self._secret, algorithm=_ALGORITHM)}"
        return self._header


class KnownPeers:
    """Which of our own services a token is of. One that verified is remembered until the next one comes."""

    def __init__(self, secret: str, *, now: Callable[[], float] = time.time) -> None:
        self._secret, self._now = secret, now
        self._known: dict[str, tuple[float, Caller]] = {}
        # what PyJWT writes in front of every token of ours, and no issuer's keys sign so
        self._begins = PeerTokens("", secret).header().partition(".")[0] + "."

    def claims_to_be_one(self, authorization: str) -> bool:
        """Whether it has the form of our own services' tokens."""
        return authorization.startswith(self._begins)

    def caller(self, authorization: str) -> Caller:
        """The service, as the system that it is. Raises ``Unauthenticated``."""
        if not self.claims_to_be_one(authorization):
            raise Unauthenticated("The token does not verify.")
        known = self._known.get(authorization)
        if known is None or self._now() >= known[0]:
            claims = self._claims(authorization.removeprefix("Bearer "))
            known = (float(claims["exp"]), internal(str(claims["sub"])))
            if len(self._known) > 64:
                self._known.clear()
            self._known[authorization] = known
        return known[1]

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                issuer=ISSUER,
                audience=ISSUER,
                options={"require": ["exp", "sub"], "verify_exp": False},
            )
            if float(claims["exp"]) <= self._now():
                raise Unauthenticated("The token has expired.")
        except (jwt.PyJWTError, ValueError, TypeError):
            raise Unauthenticated("The token does not verify.") from None
        return claims


class PeerVerifier:
    """``others``, and our own services."""

    def __init__(self, others: Verifier, peers: KnownPeers) -> None:
        self._others, self._peers = others, peers

    async def verify(self, authorization: str | None) -> Caller:
        """See ``Verifier.verify``."""
        if authorization is None or not self._peers.claims_to_be_one(authorization):
            return await self._others.verify(authorization)
        return self._peers.caller(authorization)
