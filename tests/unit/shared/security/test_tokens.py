"""Bearer tokens: which count, and what is said of those that do not."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Unauthenticated
from shared.security.caller import Caller, Discipline, Role
from shared.security.jwks import KeySet
from shared.security.keys import SigningKey, new_key
from shared.security.tokens import OpenVerifier, TokenVerifier, mint

KEY, STRANGER = new_key(), new_key()
HOUR = timedelta(hours=1)
PAIN_SPECIALIST = Caller(
    "dr-x", Role.CLINICIAN, Discipline.PAIN_MEDICINE, fhir_user="Practitioner/x", organization="Organization/y"
)


class Fixed:
    """Keys that count how often they are asked for."""

    def __init__(self, *keys: SigningKey) -> None:
        self._set = KeySet({"keys": [key.jwk for key in keys]})
        self.asked = 0

    async def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        self.asked += 1
        return self._set.find(kid, algorithm)


def verifier(keys: Fixed | None = None, **options: Any) -> TokenVerifier:
    return TokenVerifier(keys or Fixed(KEY), issuer="consilium-local", audience="consilium", **options)


def bearing(token: str) -> str:
    return f"Bearer {token}"


def forged(header: dict[str, Any], claims: dict[str, Any], sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed = b".".join(parts)
    return (signed + b"." + base64.urlsafe_b64encode(sign(signed)).rstrip(b"=")).decode()


def claims(**changes: Any) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(mint(PAIN_SPECIALIST, HOUR, KEY), options={"verify_signature": False})
    return {name: value for name, value in {**decoded, **changes}.items() if value is not ...}


def signed(key: SigningKey = KEY, kid: str | None = None, **changes: Any) -> str:
    return jwt.encode(claims(**changes), key.private, "ES256", headers={"kid": kid or key.kid})


def confused() -> str:
    """RFC 8725 section 2.1: the public key, which everybody has, used as a shared secret."""
    pem = KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return forged({"alg": "HS256", "kid": KEY.kid}, claims(), lambda m: hmac.new(pem, m, hashlib.sha256).digest())


async def test_a_minted_token_comes_back_as_its_caller() -> None:
    assert await verifier().verify(bearing(mint(PAIN_SPECIALIST, HOUR, KEY))) == PAIN_SPECIALIST


@pytest.mark.parametrize("role", Role)
async def test_every_role_can_be_minted_without_anything_else(role: Role) -> None:
    assert await verifier().verify(bearing(mint(Caller("s", role), HOUR, KEY))) == Caller("s", role)


async def test_the_scheme_is_case_insensitive() -> None:
    assert await verifier().verify("bearer " + mint(PAIN_SPECIALIST, HOUR, KEY)) == PAIN_SPECIALIST


@pytest.mark.parametrize(
    ("what", "token"),
    [
        ("of nobody's key", signed(STRANGER)),
        ("of a stranger who names our key", signed(STRANGER, kid=KEY.kid)),
        ("without a signature", forged({"alg": "none", "kid": KEY.kid}, claims())),
        ("without an algorithm", forged({"kid": KEY.kid}, claims())),
        ("with an algorithm that is no text", forged({"alg": ["ES256"], "kid": KEY.kid}, claims())),
        ("signed with the public key as a secret", confused()),
        ("of another issuer", signed(iss="elsewhere")),
        ("for another audience", signed(aud="elsewhere")),
        ("for no audience", signed(aud=...)),
        ("of no issuer", signed(iss=...)),
        ("expired", signed(exp=1_000)),
        ("that never expires", signed(exp=...)),
        ("that expires at a word", signed(exp="tomorrow")),
        ("that expires at infinity", signed(exp=float("inf"))),
        ("not valid yet", signed(nbf=33_000_000_000)),
        ("issued in the future", signed(iat=33_000_000_000)),
        ("without a subject", signed(sub=...)),
        ("with an empty subject", signed(sub="")),
        ("with a subject of our own processes", signed(sub="consilium:exchange")),
        ("without a role", signed(role=...)),
        ("with an unknown role", signed(role="superuser")),
        ("with a role in a list", signed(role=["system"])),
        ("with an unknown discipline", signed(discipline="astrology")),
        ("with an absolute fhirUser", signed(fhirUser="https://elsewhere.example/Practitioner/x")),
        ("with a fhirUser that is no person", signed(fhirUser="Observation/x")),
        ("with a fhirUser with a line break", signed(fhirUser="Practitioner/x\n")),
        ("with an organization that is none", signed(organization="Practitioner/x")),
        ("nested too deeply", forged({"alg": "ES256"}, {}).split(".")[0] + "." + "W1tb" * 1500 + ".x"),
        ("cut off", signed()[:-10]),
        ("empty", ""),
        ("of two parts", "a.b"),
        ("too long", "a" * 9000),
    ],
)
async def test_a_token_is_refused_without_repeating_it(what: str, token: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await verifier().verify(bearing(token))
    text = str(refusal.value)
    assert all(piece not in text for piece in token.split(".") if len(piece) > 3)
    for canary in ("superuser", "astrology", "elsewhere", "tomorrow", "Observation"):
        assert canary not in text


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic ZHJ4OnBhc3N3b3Jk", "Token x.y.z"])
async def test_a_request_without_a_bearer_token_is_refused(header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(header)


@given(st.text(max_size=200).map(bearing) | st.text(max_size=50))
async def test_no_header_whatever_makes_anything_but_a_refusal(header: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(header)


async def test_a_verified_token_is_remembered() -> None:
    keys = Fixed(KEY)
    verifying, header = verifier(keys), bearing(mint(PAIN_SPECIALIST, HOUR, KEY))
    for _ in range(3):
        await verifying.verify(header)
    assert keys.asked == 1


async def test_a_remembered_token_still_expires() -> None:
    moment = [1_700_000_000.0]
    token = signed(exp=1_900_000_000)
    verifying = verifier(now=lambda: moment[0], remember_s=1e12)
    moment[0] = 1_899_999_999.0
    await verifying.verify(bearing(token))
    moment[0] = 1_900_000_000.0
    with pytest.raises(Unauthenticated, match="expired"):
        await verifying.verify(bearing(token))


async def test_a_token_is_not_remembered_for_longer_than_a_withdrawn_key_may_count() -> None:
    moment = [1_700_000_000.0]
    keys = Fixed(KEY)
    verifying = verifier(keys, now=lambda: moment[0], remember_s=300)
    header = bearing(signed(exp=1_900_000_000))
    await verifying.verify(header)
    moment[0] += 301
    await verifying.verify(header)
    assert keys.asked == 2


async def test_only_so_many_tokens_are_remembered_and_the_busiest_stay() -> None:
    keys = Fixed(KEY)
    verifying = verifier(keys, remember=2)
    busy, *others = (bearing(mint(Caller(str(n), Role.SYSTEM), HOUR, KEY)) for n in range(4))
    await verifying.verify(busy)
    for other in others:
        await verifying.verify(other)
        await verifying.verify(busy)
    assert keys.asked == 4


async def test_a_clock_that_runs_a_little_ahead_does_no_harm() -> None:
    soon = int(claims()["iat"]) + 10
    assert await verifier().verify(bearing(signed(nbf=soon, iat=soon))) == PAIN_SPECIALIST


def test_a_caller_that_would_not_verify_is_not_minted() -> None:
    with pytest.raises(Unauthenticated, match="fhirUser"):
        mint(Caller("x", Role.CLINICIAN, fhir_user="nobody"), HOUR, KEY)


@pytest.mark.parametrize("header", [None, "Bearer whatever"])
async def test_in_open_mode_every_caller_is_the_system(header: str | None) -> None:
    assert (await OpenVerifier().verify(header)).role is Role.SYSTEM
