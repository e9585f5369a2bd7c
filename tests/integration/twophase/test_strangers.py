"""Nobody but a gateway asks a service for a step of a transaction, whoever else they are."""

from collections.abc import AsyncIterator, Callable

import httpx
import jwt
import pytest

from services.gateway.main import Gateway
from shared.fhir.json import dumps
from shared.fhir.parts.wire import GATEWAY, PATH, PEER
from shared.ids import uuid7
from shared.security.peers import ISSUER, PeerTokens
from tests.factories.resources import bundle, entry, patient
from tests.factories.spanning import STORED, whole_story
from tests.factories.town import SECRET, Fault, Killed, Town, all_well

STEPS = ["plan", "prepare", "commit", "finish", "outcome", "forget", "waiting", "none"]
ANOTHER = "what somebody else made up by himself"
NOTHING = dict.fromkeys(STORED, 0)


def long_ago() -> float:
    """A time at which a token was made that has ended since."""
    return 1_000_000.0


def unsigned() -> str:
    """A token that says of itself that nobody signed it."""
    claims = {"iss": ISSUER, "aud": ISSUER, "sub": GATEWAY, "exp": 4_000_000_000}
    return f"Bearer {jwt.encode(claims, None, algorithm='none')}"


STRANGERS: dict[str, Callable[[], list[tuple[str, str]]]] = {
    "nobody": list,
    "a caller's token alone": lambda: [("Authorization", "Bearer a.callers.token")],
    "a gateway's token in place of the caller's": lambda: [("Authorization", PeerTokens(GATEWAY, SECRET).header())],
    "another key": lambda: [(PEER.decode(), PeerTokens(GATEWAY, ANOTHER).header())],
    "no signature": lambda: [(PEER.decode(), unsigned())],
    "a token that has ended": lambda: [(PEER.decode(), PeerTokens(GATEWAY, SECRET, now=long_ago).header())],
    "an issuer's token": lambda: [(PEER.decode(), "Bearer a.callers.token")],
    "two tokens": lambda: [(PEER.decode(), PeerTokens(GATEWAY, SECRET).header())] * 2,
    "nonsense": lambda: [(PEER.decode(), "\xff")],
}


@pytest.fixture
async def careplans(three: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one service's own port, past the gateway."""
    transport = httpx.ASGITransport(app=three.lines["careplans"].app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://careplans") as client:
        yield client


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("who", STRANGERS)
async def test_a_stranger_is_told_nothing(careplans: httpx.AsyncClient, who: str, step: str) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in STRANGERS[who]()]
    answer = await careplans.post(f"{PATH}/{step}", content=b"{not read", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"stranger": True})


@pytest.mark.parametrize("step", STEPS)
async def test_another_service_is_no_gateway(careplans: httpx.AsyncClient, step: str) -> None:
    headers = {PEER: PeerTokens("referrals", SECRET).header().encode()}
    answer = await careplans.post(f"{PATH}/{step}", content=b"{not read", headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"stranger": True})


async def test_a_gateway_is_answered(careplans: httpx.AsyncClient) -> None:
    headers = {PEER: PeerTokens(GATEWAY, SECRET).header().encode()}
    answer = await careplans.post(f"{PATH}/outcome", content=dumps({"transaction": uuid7()}), headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"committed": False})
    assert (await careplans.post(f"{PATH}/none", content=b"{}", headers=headers)).status_code == 404


async def test_a_stranger_ends_nothing_that_waits(three: Town) -> None:
    """A prepared part, and the decision about it, stay with those who may know."""

    async def lost(step: str, when: str) -> None:
        if (step, when) == ("commit", "before"):
            raise Killed

    fault: Fault = lost
    three.lines["careplans"].fault = fault
    with pytest.raises(Killed):
        await three.post(whole_story())
    three.lines["careplans"].fault = all_well
    gids = await three.engines["referrals"].pool.fetch("SELECT gid FROM pg_prepared_xacts")
    transaction, holder, _ = gids[0]["gid"].removeprefix("consilium:").split(":")
    for name, line in three.lines.items():
        transport = httpx.ASGITransport(app=line.app)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{name}") as client:
            ending = {"transaction": transaction, "holder": holder, "commit": True}
            assert (await client.post(f"{PATH}/finish", json=ending)).status_code == 401
            assert (await client.post(f"{PATH}/outcome", json={"transaction": transaction})).status_code == 401
    assert await three.prepared() == 2
    assert await three.engines["careplans"].pool.fetchval("SELECT count(*) FROM transaction_decision") == 0
    await three.recovered()
    assert await three.stored() == NOTHING


async def test_what_a_client_sends_as_a_gateways_token_counts_for_nothing(three: Town) -> None:
    """Nor against it: the gateway says itself who it is."""
    for sent in ({"X-Consilium-Peer": "Bearer forged"}, {"Connection": "x-consilium-peer"}):
        answer = await three.client.post("/fhir", json=whole_story(), headers=sent)
        assert answer.status_code == 200, answer.text


async def test_a_gateway_with_another_key_stores_nothing_and_says_so(three: Town) -> None:
    """The client hears nothing of keys; what one service stores alone needs none."""
    gateway = Gateway(three.lines, peer=PeerTokens(GATEWAY, ANOTHER).header)
    transport = httpx.ASGITransport(app=gateway)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/fhir", json=whole_story())
        assert answer.status_code == 503
        assert "nothing was stored" in answer.text
        assert await three.stored() == NOTHING
        alone = bundle("transaction", entry("POST", "Patient", patient()))
        assert (await client.post("/fhir", json=alone)).status_code == 200
