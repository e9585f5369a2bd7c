"""Public keys of the issuer, kept fresh: a JWK Set from a file or a URL (RFC 7517 section 5), rotation included."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt
import msgspec

from shared.errors import Unavailable
from shared.telemetry.failures import class_of
from shared.telemetry.measures import KEY_LOADS

log = logging.getLogger(__name__)

FITTING: Mapping[str, tuple[str, str | None]] = {
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "RS256": ("RSA", None),
    "RS384": ("RSA", None),
    "PS256": ("RSA", None),
    "PS384": ("RSA", None),
    "EdDSA": ("OKP", "Ed25519"),
}
"""The algorithms that we accept, with key type and curve: asymmetric ones only, so no shared secret and no ``none``."""


FAILURES = (OSError, httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError)
"""What keys that cannot be had look like."""
TELL_S = 30.0
"""Seconds between lines in the log about them: every request may ask."""


class Keys(Protocol):
    """Where a verifier finds public keys."""

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key by that id for that algorithm. Raises ``Unavailable`` when no keys can be had at all."""


class KeySet:
    """The usable keys of one JWK Set. ``find`` is pure look-up."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        listed = jwks.get("keys")
        keys = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
        self._keys = [key for key in keys if key.get("kty") in ("EC", "RSA", "OKP") and key.get("use", "sig") == "sig"]

    def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key called ``kid`` if it fits ``algorithm``; without a ``kid``, the only key that fits."""
        fitting = [key for key in self._keys if _fits(key, algorithm) and kid in (None, key.get("kid"))]
        return _parsed(fitting[0], algorithm) if len(fitting) == 1 else None

    @property
    def usable(self) -> int:
        """How many of the keys can verify a token."""
        return sum(any(_fits(key, name) and _parsed(key, name) for name in FITTING) for key in self._keys)


def _parsed(key: Mapping[str, Any], algorithm: str) -> jwt.PyJWK | None:
    try:
        return jwt.PyJWK(dict(key), algorithm)
    except jwt.PyJWTError:
        return None


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    kind, curve = FITTING[algorithm]
    return key["kty"] == kind and curve in (None, key.get("crv")) and key.get("alg", algorithm) == algorithm


class RotatingKeys:
    """Keys that are loaded again when they are old, or when a token names one that is not among them.

    Strangers can name unknown keys at will, so a reload happens at most once in ``pause_s``. When the issuer does not
    answer, the keys at hand stay valid.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[KeySet]],
        *,
        max_age_s: float = 600.0,
        pause_s: float = 30.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load, self._now = load, now
        self._max_age_s, self._pause_s = max_age_s, pause_s
        self._set: KeySet | None = None
        self._loaded_at = self._tried_at = self._told_at = float("-inf")
        self._lock = asyncio.Lock()
        for outcome in ("loaded", "failed"):
            KEY_LOADS.expect(outcome)

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """See ``Keys.find``."""
        if self._now() - self._loaded_at > self._max_age_s:
            await self._reload()
        key = self._current().find(kid, algorithm)
        if key is None and await self._reload():
            key = self._current().find(kid, algorithm)
        return key

    def _current(self) -> KeySet:
        if self._set is None:
            raise Unavailable("The keys that tokens are verified with cannot be had at present.")
        return self._set

    async def _reload(self) -> bool:
        """True when the set was loaded anew, by this call or by one that it waited for."""
        asked_at = self._now()
        async with self._lock:
            if self._loaded_at >= asked_at:
                return True
            if self._now() - self._tried_at < self._pause_s:
                return False
            self._tried_at = self._now()
            try:
                self._set = await self._load()
            except FAILURES as error:
                KEY_LOADS.add("failed")
                self._tell(error)
                return False
            KEY_LOADS.add("loaded")
            self._loaded_at = self._now()
            self._told_at = float("-inf")
            return True

    def _tell(self, error: Exception) -> None:
        if self._now() - self._told_at >= TELL_S:
            self._told_at = self._now()
            # a URL may hold a password, and an error's text may hold the URL
            status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
            told = {} if status is None else {"status": status}
            log.warning("the keys that tokens are verified with cannot be had: %s", class_of(error), extra=told)


def file_keys(path: Path) -> RotatingKeys:
    """The keys in a JWKS file; a rotated file is noticed."""

    async def load() -> KeySet:
        return await asyncio.to_thread(_read, path)

    return RotatingKeys(load, pause_s=1.0)


def tell_unusable(path: Path, variable: str) -> None:
    """A warning in the log where ``path``, which ``variable`` names, has no keys yet. It may be mounted later."""
    try:
        if not _read(path).usable:
            log.warning("The file of %s has no key that can verify a token.", variable)
    except FAILURES as error:
        log.warning("The file of %s is no JWK Set that can be read: %s", variable, class_of(error))


def _read(path: Path) -> KeySet:
    return KeySet(msgspec.json.decode(path.read_bytes(), type=dict[str, Any]))


def url_keys(url: str, *, transport: httpx.AsyncBaseTransport | None = None, timeout_s: float = 5.0) -> RotatingKeys:
    """The keys that an issuer publishes at ``url``."""

    async def load() -> KeySet:
        # A load is rare, so a client per load; it outlives no event loop that way.
        async with httpx.AsyncClient(transport=transport, timeout=timeout_s) as client:
            response = await client.get(url, headers={"accept": "application/json"})
            response.raise_for_status()
            return KeySet(msgspec.json.decode(response.content, type=dict[str, Any]))

    return RotatingKeys(load)
