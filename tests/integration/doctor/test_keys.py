"""The doctor before key files and issuers: what can be used, what must not lie there, whose clock is wrong."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jwt.algorithms import ECAlgorithm

from shared.doctor import keys
from shared.doctor.finding import Level
from shared.security.keys import local_key
from shared.security.settings import AuthMode, SecuritySettings
from tests.integration.doctor.judging import Issuer, holds
from tests.ports import refusing_port


def _jwks(folder: Path) -> bytes:
    return json.dumps({"keys": [local_key(folder).jwk]}).encode()


def _changed(change: Callable[[dict[str, str]], object]) -> Callable[[Path], bytes]:
    def content(folder: Path) -> bytes:
        jwk = local_key(folder).jwk
        change(jwk)
        return json.dumps({"keys": [jwk]}).encode()

    return content


def _private(folder: Path) -> bytes:
    key = local_key(folder)
    return json.dumps({"keys": [json.loads(ECAlgorithm.to_jwk(key.private)) | {"use": "sig"}]}).encode()


SYMMETRIC = json.dumps({"keys": [{"kty": "oct", "k": base64.b64encode(b"x").decode()}]}).encode()


@pytest.mark.parametrize(
    ("content", "level", "word"),
    [
        (None, Level.FAILURE, "cannot be read"),
        (b"", Level.FAILURE, "no JWK Set"),
        (b"<html>", Level.FAILURE, "no JWK Set"),
        (b'{"keys": []}', Level.FAILURE, "no key that we can use"),
        (SYMMETRIC, Level.FAILURE, "no key that we can use"),
        (SYMMETRIC, Level.WARNING, "private key"),
        (b'{"keys": [{"kty": "RSA", "e": "AQAB"}]}', Level.FAILURE, "no key that we can use"),
        (b'{"keys": [{"kty": []}]}', Level.FAILURE, "no key that we can use"),
        (_changed(lambda jwk: jwk.pop("y")), Level.FAILURE, "no key that we can use"),
        (_changed(lambda jwk: jwk.update(x=jwk["y"])), Level.FAILURE, "no key that we can use"),
        (_changed(lambda jwk: jwk.update(use="enc")), Level.FAILURE, "no key that we can use"),
        (_private, Level.OK, "1 usable"),
        (_private, Level.WARNING, "private key"),
        (_jwks, Level.OK, "1 usable"),
    ],
)
async def test_a_key_file_is_judged(
    tmp_path: Path, content: bytes | Callable[[Path], bytes] | None, level: Level, word: str
) -> None:
    path = tmp_path / "jwks.json"
    if content is not None:
        path.write_bytes(content(tmp_path) if callable(content) else content)
    holds(await keys.examine(SecuritySettings(jwks_file=path)), level, word)


async def test_the_local_key_is_ours_alone(tmp_path: Path) -> None:
    settings = SecuritySettings(data_dir=tmp_path)
    holds(await keys.examine(settings), Level.WARNING, "no local key yet")
    local_key(tmp_path)
    holds(await keys.examine(settings), Level.OK, "1 usable")
    (tmp_path / "keys" / "signing.pem").chmod(0o644)
    holds(await keys.examine(settings), Level.FAILURE, "read by others")
    (tmp_path / "keys" / "jwks.json").unlink()
    holds(await keys.examine(settings), Level.FAILURE, "public half")
    holds(await keys.examine(SecuritySettings(auth=AuthMode.OPEN)), Level.WARNING, "nobody is asked")


async def test_an_issuer_is_judged_and_its_clock(issuer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SecuritySettings(jwks_url=issuer)
    monkeypatch.setattr(Issuer, "content", _jwks(tmp_path))
    monkeypatch.setattr(Issuer, "date", "Mon, 01 Jan 2001 12:00:00 GMT")
    found = await keys.examine(settings)
    holds(found, Level.OK, "1 usable")
    holds(found, Level.FAILURE, "between the issuer and this machine")
    monkeypatch.setattr(Issuer, "status", 500)
    holds(await keys.examine(settings), Level.FAILURE, "answers 500")
    nobody = SecuritySettings(jwks_url=f"http://127.0.0.1:{refusing_port()}/")
    holds(await keys.examine(nobody), Level.FAILURE, "cannot be had")
