"""The keys that tokens are verified with: there, usable, and the private one only ours."""

import stat
import time
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec

from shared.doctor.database import clock_finding
from shared.doctor.finding import Finding, failure, ok, warning
from shared.security.jwks import KeySet
from shared.security.keys import jwks_path
from shared.security.settings import AuthMode, SecuritySettings
from shared.telemetry.failures import class_of

ASKING = 5.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO


SECRET = ("d", "k")
"""Members of a JWK that are nobody else's business (RFC 7518 section 6): the private half, a shared secret."""


class _Jwks(msgspec.Struct):
    keys: list[dict[str, Any]]


async def examine(settings: SecuritySettings) -> list[Finding]:
    """What is to be said of the keys that ``settings`` name."""
    if settings.auth is AuthMode.OPEN:
        return [warning("keys", "CONSILIUM_AUTH=open: nobody is asked for a token", "For one machine alone.")]
    if settings.jwks_url:
        return await _published(settings.jwks_url)
    if settings.jwks_file:
        return _read(settings.jwks_file, "the file of CONSILIUM_JWKS_FILE")
    return _local(settings.data_dir)


async def _published(url: str) -> list[Finding]:
    do = "Is the issuer up, and CONSILIUM_JWKS_URL right? Tokens are refused once the keys at hand are old."
    before = time.time()
    try:
        async with httpx.AsyncClient(timeout=ASKING) as client:
            response = await client.get(url, headers={"accept": "application/json"})
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return [failure("keys", f"the issuer's keys cannot be had ({class_of(error)})", do)]
    after = time.time()
    if response.status_code != 200:
        return [failure("keys", f"the issuer answers {response.status_code} where its keys should be", do)]
    found = _judged(response.content, "what the issuer publishes")
    try:
        said = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return found
    return [*found, clock_finding("clock issuer", said, before, after, "the issuer", grain=1.0)]


def _read(path: Path, whose: str) -> list[Finding]:
    try:
        return _judged(path.read_bytes(), whose)
    except OSError as error:
        return [failure("keys", f"{whose} cannot be read ({class_of(error)})", "Mount or make it.")]


def _judged(content: bytes, whose: str) -> list[Finding]:
    do = "It must be a JWK Set (RFC 7517) with a public EC P-256/P-384, RSA or Ed25519 key for signatures."
    try:
        keys = msgspec.json.decode(content, type=_Jwks).keys
    except msgspec.DecodeError:
        return [failure("keys", f"{whose} is no JWK Set", do)]
    usable = KeySet({"keys": keys}).usable
    if usable:
        found = [ok("keys", f"{whose} has {usable} usable keys")]
    else:
        found = [failure("keys", f"{whose} has no key that we can use", do)]
    if any(name in key for key in keys for name in SECRET):
        do = "Whoever reads it can sign tokens: make a new key, withdraw this one, and publish public members only."
        found.append(warning("keys", f"{whose} has a private key in it", do))
    return found


def _local(data_dir: Path) -> list[Finding]:
    private, public = data_dir / "keys" / "signing.pem", jwks_path(data_dir)
    if not private.exists():
        return [warning("keys", "there is no local key yet", "`consilium run` or `consilium token` makes it.")]
    if public.exists():
        found = _read(public, "the file of the local key")
    else:
        do = "`consilium token --role system` writes it anew."
        found = [failure("keys", "the public half of the local key is missing", do)]
    if private.stat().st_mode & OTHERS:
        do = "Anybody who read it can sign tokens: remove keys/signing.pem, a new one is made. Then chmod 600 stays."
        found.append(failure("keys", "the private key can be read by others", do))
    return found
