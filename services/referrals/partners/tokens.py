"""What we show a partner: a token of theirs by SMART Backend Services, or one from a file.

https://hl7.org/fhir/smart-app-launch/backend-services.html: client_credentials with a private_key_jwt (RFC 7523).
"""

import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.referrals.domain.exchange_pace import Trouble
from services.referrals.partners.known import Partner
from services.referrals.partners.trouble import PartnerTrouble, body_of
from shared.errors import Invalid
from shared.fhir.json import received

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTED_S = 240
"""At most five minutes, says SMART."""
RENEWED_S = 30
"""Before its end, a token counts no more."""
LONGEST_S = 86_400
"""For so long a token is kept, whatever its issuer says."""
_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384"}


class Tokens:
    """The Authorization header for each partner; a token is kept until it expires, or is refused."""

    def __init__(self, client: httpx.AsyncClient, *, now: Callable[[], float] = time.time) -> None:
        self._client, self._now = client, now
        self._kept: dict[str, tuple[float, str]] = {}

    async def header(self, base: str, partner: Partner) -> Mapping[str, str]:
        """What to send to ``base``. Raises ``PartnerTrouble``."""
        if partner.token_file is not None:
            return {"authorization": f"Bearer {_text(partner.token_file)}"}
        if partner.token_url is None:
            return {}
        until, token = self._kept.get(base, (0.0, ""))
        if self._now() >= until - RENEWED_S:
            until, token = await self._fresh(partner)
            self._kept[base] = (until, token)
        return {"authorization": f"Bearer {token}"}

    def forget(self, base: str) -> None:
        """The token was refused."""
        self._kept.pop(base, None)

    async def _fresh(self, partner: Partner) -> tuple[float, str]:
        form = {
            "grant_type": "client_credentials",
            "scope": partner.scope,
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion(partner, int(self._now())),
        }
        asked = self._now()
        async with self._client.stream("POST", partner.token_url or "", data=form) as response:
            if response.status_code != 200:
                temporary = response.status_code >= 500 or response.status_code == 429
                raise PartnerTrouble(Trouble.HTTP_STATUS if temporary else Trouble.CREDENTIALS)
            answer = _read(await body_of(response))
        token, lives = answer.get("access_token"), answer.get("expires_in", 300)
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not _is_number(lives):
            raise PartnerTrouble(Trouble.CREDENTIALS)
        return asked + min(lives, LONGEST_S), token


def assertion(partner: Partner, now: int) -> str:
    """The signed word that it is us. Raises ``PartnerTrouble`` for a key that cannot be used."""
    key = _key(partner.key_file)
    claims = {
        "iss": partner.client_id,
        "sub": partner.client_id,
        "aud": partner.token_url,
        "iat": now,
        "exp": now + ASSERTED_S,
        "jti": str(uuid.uuid4()),
    }
    if isinstance(key, rsa.RSAPrivateKey):
        algorithm = "RS384"
    elif isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _ALGORITHMS:
        algorithm = _ALGORITHMS[key.curve.name]
    else:
        raise PartnerTrouble(Trouble.CREDENTIALS)
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": partner.key_id} if partner.key_id else None)


def _key(path: Path | None) -> Any:
    try:
        return load_pem_private_key(path.read_bytes() if path else b"", password=None)
    except (OSError, ValueError, TypeError):
        raise PartnerTrouble(Trouble.CREDENTIALS) from None


def _text(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except (OSError, ValueError):
        raise PartnerTrouble(Trouble.CREDENTIALS) from None
    if not text or not text.isascii() or not text.isprintable():
        raise PartnerTrouble(Trouble.CREDENTIALS)
    return text


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = received(body)
    except Invalid:
        raise PartnerTrouble(Trouble.CREDENTIALS) from None
    if not isinstance(answer, dict):
        raise PartnerTrouble(Trouble.CREDENTIALS)
    return answer


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
