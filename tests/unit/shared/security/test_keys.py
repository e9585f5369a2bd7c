"""The local signing key: one per installation, private, its public half beside it."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import Unavailable
from shared.security.caller import Caller, Role
from shared.security.keys import jwks_path, local_key
from shared.security.settings import AuthMode, SecuritySettings
from shared.security.tokens import OpenVerifier, mint, verifier_for


def test_many_that_ask_at_once_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        kids = {key.kid for key in pool.map(lambda _: local_key(tmp_path), range(64))}
    assert len(kids) == 1
    assert [key["kid"] for key in json.loads(jwks_path(tmp_path).read_text())["keys"]] == list(kids)


def test_nothing_is_left_lying_about(tmp_path: Path) -> None:
    local_key(tmp_path)
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {"signing.pem", "jwks.json"}


def test_the_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    local_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "keys" / "signing.pem").stat().st_mode) == 0o600


def test_the_published_key_holds_nothing_private(tmp_path: Path) -> None:
    local_key(tmp_path)
    (published,) = json.loads(jwks_path(tmp_path).read_text())["keys"]
    assert set(published) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_the_key_outlives_the_process(tmp_path: Path) -> None:
    first = local_key(tmp_path)
    jwks_path(tmp_path).unlink()
    assert local_key(tmp_path).kid == first.kid
    assert jwks_path(tmp_path).exists()


@pytest.mark.parametrize("content", ["", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_key_is_named_and_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys" / "signing.pem"
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(Unavailable, match=r"signing\.pem"):
        local_key(tmp_path)
    assert path.read_text() == content


async def test_without_an_issuer_the_local_key_counts(tmp_path: Path) -> None:
    verifier = verifier_for(SecuritySettings(data_dir=tmp_path))
    caller = Caller("c", Role.COORDINATOR)
    token = mint(caller, timedelta(minutes=1), local_key(tmp_path))
    assert await verifier.verify(f"Bearer {token}") == caller


def test_open_mode_makes_no_key(tmp_path: Path) -> None:
    assert isinstance(verifier_for(SecuritySettings(data_dir=tmp_path, auth=AuthMode.OPEN)), OpenVerifier)
    assert not (tmp_path / "keys").exists()


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIUM_AUTH", "open")
    monkeypatch.setenv("CONSILIUM_JWT_ISSUER", "https://idp.example")
    settings = SecuritySettings()
    assert (settings.auth, settings.jwt_issuer, settings.jwt_audience) == (
        AuthMode.OPEN,
        "https://idp.example",
        "consilium",
    )
