"""Bearer tokens: minted for local use, verified on every request (RFC 6750, RFC 7519; pitfalls in RFC 8725)."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol

import jwt

from shared.errors import Unauthenticated
from shared.security.caller import Caller, Role
from shared.security.claims import caller_of, claims_of
from shared.security.jwks import FITTING, Keys, file_keys, tell_unusable, url_keys
from shared.security.keys import ALGORITHM, SigningKey, jwks_path, local_key
from shared.security.settings import AuthMode, SecuritySettings

LONGEST = 8192
"""Characters of an Authorization header that we look at."""


class Verifier(Protocol):
    """Turns an Authorization header into a caller."""

    async def verify(self, authorization: str | None) -> Caller:
        """The caller. Raises ``Unauthenticated``, or ``Unavailable`` when the issuer's keys cannot be had."""


def mint(
    caller: Caller,
    ttl: timedelta,
    key: SigningKey,
    *,
    issuer: str = "consilium-local",
    audience: str = "consilium",
    now: Callable[[], float] = time.time,
) -> str:
    """A token for ``caller`` that lives for ``ttl``. Raises ``Unauthenticated`` for a caller that would not verify."""
    issued = int(now())
    claims: dict[str, Any] = {
        **claims_of(caller),
        "iss": issuer,
        "aud": audience,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(ttl.total_seconds()),
    }
    caller_of(claims)
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid})


class TokenVerifier:
    """Verifies signature, issuer, audience and times; a token that verified is remembered until it expires.

    Remembered at most ``remember_s``, so that a key withdrawn by the issuer stops counting.
    """

    def __init__(
        self,
        keys: Keys,
        *,
        issuer: str,
        audience: str,
        skew_s: float = 30.0,
        remember_s: float = 300.0,
        remember: int = 4096,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._keys, self._issuer, self._audience = keys, issuer, audience
        self._skew_s, self._remember_s, self._remember, self._now = skew_s, remember_s, remember, now
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def verify(self, authorization: str | None) -> Caller:
        """See ``Verifier.verify``."""
        if authorization is None:
            raise Unauthenticated("A bearer token is required.")
        known = self._known.get(authorization)
        if known is not None and self._now() < known[0]:
            self._known.move_to_end(authorization)
            return known[1]
        self._known.pop(authorization, None)
        return await self._check(authorization)

    async def _check(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(authorization) > LONGEST:
            raise Unauthenticated("A bearer token is required.")
        claims = await self._claims(token.strip())
        caller = caller_of(claims)
        now, expires = self._now(), float(claims["exp"])
        if expires <= now:
            raise Unauthenticated("The token has expired.")
        self._known[authorization] = (min(expires, now + self._remember_s), caller)
        if len(self._known) > self._remember:
            self._known.popitem(last=False)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            kid, algorithm = header.get("kid"), header.get("alg")
            if not isinstance(algorithm, str) or algorithm not in FITTING:
                raise Unauthenticated("The token's algorithm is not accepted.")
            key = await self._keys.find(kid, algorithm)
            if key is None:
                raise Unauthenticated("The token is signed with an unknown key.")
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                leeway=self._skew_s,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            # No cause is chained anywhere here: PyJWT's texts repeat claims.
            raise Unauthenticated("The token has expired.") from None
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
            raise Unauthenticated("The token does not verify.") from None


class OpenVerifier:
    """Asks nobody: every caller is the system. See ``shared.security.loopback``."""

    _caller = Caller(subject="consilium:open", role=Role.SYSTEM)

    async def verify(self, authorization: str | None) -> Caller:
        """The system, whatever the header says."""
        return self._caller


def verifier_for(settings: SecuritySettings) -> Verifier:
    """The verifier that ``settings`` ask for; makes the local key where no issuer is configured."""
    if settings.auth is AuthMode.OPEN:
        return OpenVerifier()
    keys: Keys
    if settings.jwks_url:
        keys = url_keys(settings.jwks_url)
    elif settings.jwks_file:
        tell_unusable(settings.jwks_file, "CONSILIUM_JWKS_FILE")
        keys = file_keys(settings.jwks_file)
    else:
        local_key(settings.data_dir)
        keys = file_keys(jwks_path(settings.data_dir))
    return TokenVerifier(keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience, skew_s=settings.jwt_skew_s)
