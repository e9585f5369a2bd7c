"""What we show a partner: SMART Backend Services tokens, kept until they expire or are refused; or one from a file."""

import json
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.referrals.domain.exchange_pace import Trouble
from services.referrals.partners.client import PartnerClient, Reach, open_client
from services.referrals.partners.known import Partner, partners_in
from services.referrals.partners.tokens import LONGEST_S, RENEWED_S, Tokens
from services.referrals.partners.trouble import PartnerTrouble
from tests.factories.partner import Answer, Asked, Elsewhere
from tests.listening import listening

TASK = {"resourceType": "Task", "id": "x1", "meta": {"versionId": "1"}, "status": "accepted", "intent": "order"}
KEYS = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "RS384": rsa.generate_private_key(65537, 2048),
}


class Issuer(Elsewhere):
    """The other system, which also gives tokens, and takes the last one alone."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.lives: object = 300
        self.instead = self._answer
        self.stored["Task/x1"] = dict(TASK)

    async def _answer(self, asked: Asked) -> Answer | None:
        if asked.path == "/token":
            self.given += 1
            answer = {"access_token": f"token-{self.given}", "token_type": "bearer", "expires_in": self.lives}
            return 200, json.dumps(answer).encode(), {"content-type": "application/json"}
        return None if asked.headers.get("authorization") == f"Bearer token-{self.given}" else (401, b"", {})


def written(folder: Path, algorithm: str) -> Path:
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{algorithm}.pem"
    path.write_bytes(KEYS[algorithm].private_bytes(serialization.Encoding.PEM, *private))
    return path


def backend(url: str, key: Path) -> Partner:
    return Partner(
        token_url=f"{url}/token", client_id="consilium-1", key_file=key, key_id="k1", scope="system/Task.cru"
    )


async def trouble(client: PartnerClient, base: str) -> Trouble:
    with pytest.raises(PartnerTrouble) as caught:
        await client.read(base, "Task/x1")
    return caught.value.code


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_signed_assertion_gets_a_token_that_is_kept(tmp_path: Path, algorithm: str) -> None:
    issuer = Issuer()
    async with listening(issuer) as url:
        base, partner = f"{url}/fhir", backend(url, written(tmp_path, algorithm))
        async with open_client({base: partner}, Reach(True, True)) as client:
            for _ in range(3):
                assert (await client.read(base, "Task/x1"))["id"] == "x1"
    assert issuer.given == 1
    form = {name: value[0] for name, value in parse_qs(issuer.asked[0].body.decode()).items()}
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "system/Task.cru")
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    word, public = form["client_assertion"], KEYS[algorithm].public_key()
    claims = jwt.decode(word, public, algorithms=[algorithm], audience=f"{url}/token")
    assert claims["iss"] == claims["sub"] == "consilium-1"
    assert 0 < claims["exp"] - claims["iat"] <= 300
    assert jwt.get_unverified_header(word)["kid"] == "k1"


async def test_a_token_that_is_refused_or_runs_out_is_had_anew(tmp_path: Path) -> None:
    issuer = Issuer()
    async with listening(issuer) as url:
        base, partner = f"{url}/fhir", backend(url, written(tmp_path, "ES256"))
        async with open_client({base: partner}, Reach(True, True)) as client:
            await client.read(base, "Task/x1")
            issuer.given += 1  # the one that was given counts no more
            assert await trouble(client, base) is Trouble.CREDENTIALS
            issuer.lives = 10
            await client.read(base, "Task/x1")
            await client.read(base, "Task/x1")
    assert [each.path for each in issuer.asked].count("/token") == 3


@pytest.mark.parametrize("lives", ["soon", -1, True, 1.5])
async def test_an_odd_answer_of_the_issuer_is_a_code(tmp_path: Path, lives: object) -> None:
    issuer = Issuer()
    issuer.lives = lives
    async with listening(issuer) as url:
        base, partner = f"{url}/fhir", backend(url, written(tmp_path, "ES256"))
        async with open_client({base: partner}, Reach(True, True)) as client:
            assert await trouble(client, base) is Trouble.CREDENTIALS


async def test_a_token_that_is_said_to_live_for_ever_is_kept_for_a_day(tmp_path: Path) -> None:
    issuer = Issuer()
    issuer.lives = 10**400
    async with listening(issuer) as url:
        base, partner = f"{url}/fhir", backend(url, written(tmp_path, "ES256"))
        async with httpx.AsyncClient(trust_env=False) as http:
            now = 1_800_000_000.0
            tokens = Tokens(http, now=lambda: now)
            assert await tokens.header(base, partner) == {"authorization": "Bearer token-1"}
            now += LONGEST_S - RENEWED_S - 1
            assert await tokens.header(base, partner) == {"authorization": "Bearer token-1"}
            now += 1
            assert await tokens.header(base, partner) == {"authorization": "Bearer token-2"}


async def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    issuer, path = Issuer(), tmp_path / "token"
    async with listening(issuer) as url:
        base = f"{url}/fhir"
        async with open_client({base: Partner(token_file=path)}, Reach(True, True)) as client:
            assert await trouble(client, base) is Trouble.CREDENTIALS
            path.write_text("token-0\n")
            await client.read(base, "Task/x1")
            path.write_text("two\nlines")
            assert await trouble(client, base) is Trouble.CREDENTIALS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"ftp://x/fhir": {}}',
        '{"https://x/fhir": {"token": "s3cret"}}',
        '{"https://x/fhir": {"token_url": "https://x/s3cret"}}',
        '{"https://x/fhir": {"requester": "s3cret"}}',
    ],
)
def test_a_partners_file_that_does_not_hold_is_told_without_what_it_says(tmp_path: Path, text: str) -> None:
    path = tmp_path / "partners.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="partners' file") as caught:
        partners_in(path)
    assert "s3cret" not in str(caught.value)


def test_a_partner_is_known_with_and_without_a_slash(tmp_path: Path) -> None:
    path = tmp_path / "partners.json"
    path.write_text('{"https://x.example/fhir/": {"requester": "Organization/us", "patient": "contained"}}')
    found = partners_in(path)["https://x.example/fhir"].terms("https://we.example/fhir", "https://x.example/fhir")
    assert (found.requester, found.contains_patient) == ("Organization/us", True)
