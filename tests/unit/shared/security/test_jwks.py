"""The issuer's keys: rotation, outages, and what a JWK Set may hold."""

import json
import logging
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from shared.errors import Unavailable
from shared.security.jwks import KeySet, RotatingKeys, file_keys, url_keys
from shared.security.keys import SigningKey, new_key
from shared.security.settings import SecuritySettings
from shared.security.tokens import verifier_for

OLD, NEW = new_key(), new_key()


class Issuer:
    """An issuer whose keys and health the test sets."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys, self.well, self.asked, self.now = list(keys), True, 0, 0.0

    async def load(self) -> KeySet:
        self.asked += 1
        if not self.well:
            raise httpx.ConnectError("down")
        return KeySet({"keys": [key.jwk for key in self.keys]})

    def rotating(self) -> RotatingKeys:
        return RotatingKeys(self.load, max_age_s=600, pause_s=30, now=lambda: self.now)


async def test_a_new_key_is_found_when_a_token_names_it() -> None:
    issuer = Issuer(OLD)
    keys = issuer.rotating()
    assert await keys.find(OLD.kid, "ES256")
    issuer.keys, issuer.now = [NEW], 31
    assert await keys.find(NEW.kid, "ES256")
    assert await keys.find(OLD.kid, "ES256") is None


async def test_strangers_cannot_make_us_ask_the_issuer_all_the_time() -> None:
    issuer = Issuer(OLD)
    keys = issuer.rotating()
    for n in range(100):
        assert await keys.find(f"unknown-{n}", "ES256") is None
    assert issuer.asked == 1


async def test_a_withdrawn_key_stops_counting_when_the_set_is_old() -> None:
    issuer = Issuer(OLD, NEW)
    keys = issuer.rotating()
    assert await keys.find(OLD.kid, "ES256")
    issuer.keys, issuer.now = [NEW], 601
    assert await keys.find(OLD.kid, "ES256") is None


async def test_keys_at_hand_survive_the_issuers_outage() -> None:
    issuer = Issuer(OLD)
    keys = issuer.rotating()
    assert await keys.find(OLD.kid, "ES256")
    issuer.well, issuer.now = False, 10_000
    assert await keys.find(OLD.kid, "ES256")


async def test_without_any_keys_the_server_is_unavailable_and_then_recovers() -> None:
    issuer = Issuer(OLD)
    issuer.well = False
    keys = issuer.rotating()
    with pytest.raises(Unavailable):
        await keys.find(OLD.kid, "ES256")
    issuer.well, issuer.now = True, 31
    assert await keys.find(OLD.kid, "ES256")


async def test_why_keys_cannot_be_had_is_logged_and_not_for_every_request(caplog: pytest.LogCaptureFixture) -> None:
    moment = [0.0]
    url = "https://user:s3cret@idp.example/jwks"
    transport = httpx.MockTransport(lambda request: httpx.Response(503, text="s3cret"))
    keys = url_keys(url, transport=transport)
    keys._now, keys._pause_s = (lambda: moment[0]), 1.0
    for seconds in (0.0, 2.0, 29.0, 31.0):
        moment[0] = seconds
        with pytest.raises(Unavailable):
            await keys.find(OLD.kid, "ES256")
    told = [record for record in caplog.records if record.name == "shared.security.jwks"]
    assert [record.getMessage() for record in told] == [
        "the keys that tokens are verified with cannot be had: httpx.HTTPStatusError"
    ] * 2
    assert [vars(record)["status"] for record in told] == [503, 503]
    assert not any("s3cret" in str(vars(record)) for record in told)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "The file of CONSILIUM_JWKS_FILE is no JWK Set that can be read: FileNotFoundError"),
        ("<html>", "The file of CONSILIUM_JWKS_FILE is no JWK Set that can be read: msgspec.DecodeError"),
        ("[]", "The file of CONSILIUM_JWKS_FILE is no JWK Set that can be read: msgspec.ValidationError"),
        ("{}", "The file of CONSILIUM_JWKS_FILE has no key that can verify a token."),
        (json.dumps({"keys": [OLD.jwk]}), None),
    ],
)
def test_a_file_without_keys_is_told_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: str | None, told: str | None
) -> None:
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_text(content)
    verifier_for(SecuritySettings(jwks_file=path))
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, told) for told in [told] if told
    ]


async def test_a_url_is_fetched_and_its_garbage_is_an_outage() -> None:
    answers = iter([httpx.Response(200, json={"keys": [OLD.jwk]}), httpx.Response(200, text="<html>")])
    transport = httpx.MockTransport(lambda request: next(answers))
    url = "https://idp.example/jwks"
    assert await url_keys(url, transport=transport).find(OLD.kid, "ES256")
    with pytest.raises(Unavailable):
        await url_keys(url, transport=transport).find(OLD.kid, "ES256")


async def test_a_missing_file_is_an_outage(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await file_keys(tmp_path / "jwks.json").find(None, "ES256")


async def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps({"keys": [OLD.jwk]}))
    assert await file_keys(path).find(OLD.kid, "ES256")


RSA = {**json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key())), "kid": "r"}
del RSA["key_ops"]


@pytest.mark.parametrize(
    ("jwks", "kid", "algorithm", "found"),
    [
        ({"keys": [OLD.jwk]}, OLD.kid, "ES256", True),
        ({"keys": [OLD.jwk]}, None, "ES256", True),
        ({"keys": [OLD.jwk, NEW.jwk]}, None, "ES256", False),
        ({"keys": [OLD.jwk]}, OLD.kid, "ES384", False),
        ({"keys": [OLD.jwk]}, OLD.kid, "RS256", False),
        ({"keys": [{**OLD.jwk, "use": "enc"}]}, OLD.kid, "ES256", False),
        ({"keys": [RSA]}, "r", "RS256", True),
        ({"keys": [RSA]}, "r", "RS384", True),
        ({"keys": [{**RSA, "alg": "RS256"}]}, "r", "RS384", False),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "o"}]}, "o", "ES256", False),
        ({"keys": [{"kty": "EC", "crv": "P-256", "x": "!", "y": "?", "kid": "b"}]}, "b", "ES256", False),
        ({"keys": ["x", None, 3]}, None, "ES256", False),
        ({"keys": "x"}, None, "ES256", False),
        ({}, None, "ES256", False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_key_is_found_only_for_what_it_is_for(
    jwks: dict[str, object], kid: str | None, algorithm: str, found: bool
) -> None:
    assert (KeySet(jwks).find(kid, algorithm) is not None) is found
