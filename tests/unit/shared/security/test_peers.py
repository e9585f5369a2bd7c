"""Services know each other by a secret that they share."""

import jwt
import pytest

from shared.errors import Unauthenticated
from shared.security.caller import Caller, Role
from shared.security.peers import ISSUER, LIVES_S, KnownPeers, PeerTokens, PeerVerifier

SECRET = "what only our own services know, all"
ANOTHER = "what somebody else made up by himself"


class Others:
    """The verifier of everybody else's tokens."""

    async def verify(self, authorization: str | None) -> Caller:
        return Caller("somebody", Role.PATIENT)


class Time:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def test_a_service_is_the_system_and_is_known_by_name() -> None:
    verifier = PeerVerifier(Others(), KnownPeers(SECRET))
    caller = await verifier.verify(PeerTokens("careplans", SECRET).header())
    assert caller == Caller("consilium:careplans", Role.SYSTEM)


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic eA==", ""])
async def test_everybody_else_is_known_by_the_others(authorization: str | None) -> None:
    assert (await PeerVerifier(Others(), KnownPeers(SECRET)).verify(authorization)).subject == "somebody"


async def test_a_token_ends_and_is_made_anew_before_that() -> None:
    time = Time()
    tokens = PeerTokens("careplans", SECRET, now=time)
    verifier = PeerVerifier(Others(), KnownPeers(SECRET, now=time))
    first = tokens.header()
    await verifier.verify(first)
    time.now += LIVES_S - 61
    assert tokens.header() == first
    time.now += 2
    assert tokens.header() != first
    time.now += 60
    with pytest.raises(Unauthenticated):
        await verifier.verify(first)
    await verifier.verify(tokens.header())


@pytest.mark.parametrize(
    ("secret", "claims"),
    [
        (ANOTHER, {}),
        (SECRET, {"iss": "consilium-local"}),
        (SECRET, {"aud": "consilium"}),
        (SECRET, {"exp": 1}),
        (SECRET, {"exp": None}),
        (SECRET, {"sub": None}),
    ],
)
async def test_what_is_not_right_is_no_token(secret: str, claims: dict[str, object]) -> None:
    told = {"iss": ISSUER, "aud": ISSUER, "sub": "careplans", "exp": 4_000_000_000} | claims
    token = jwt.encode({name: value for name, value in told.items() if value is not None}, secret, algorithm="HS256")
    with pytest.raises(Unauthenticated):
        await PeerVerifier(Others(), KnownPeers(SECRET)).verify(f"Bearer {token}")
