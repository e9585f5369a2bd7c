"""A service with one partner, which is a small system of the test's own, over real HTTP."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.referrals.app.exchange import Pace, take_due, visit_other_side
from services.referrals.app.exchange_start import exchanges_referrals
from services.referrals.partners.client import PartnerClient, Reach, open_client
from services.referrals.partners.known import Partner
from services.referrals.store import exchanges
from services.referrals.store.exchanges import Exchange
from shared.clock import system_clock
from shared.engine import Engine
from tests.factories.engine import FixedVerifier
from tests.factories.partner import Elsewhere, Resource
from tests.factories.referrals import BACK_END
from tests.integration.referrals.asking import furnish, put
from tests.listening import listening

BASE = "https://source.example/fhir"
REST = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"}


def endpoint(address: str, id: str = "there") -> Resource:
    """Where an organization is reached."""
    return {
        "resourceType": "Endpoint",
        "id": id,
        "status": "active",
        "connectionType": REST,
        "payloadType": [{"text": "any"}],
        "address": address,
    }


def reached(organization: str, at: str = "there") -> Resource:
    """An organization with an endpoint."""
    found = [{"reference": f"Endpoint/{at}"}]
    return {"resourceType": "Organization", "id": organization, "name": organization, "endpoint": found}


@dataclass
class Exchanging:
    """The exchange as a worker does it, one round at a time, at a time of the test's choosing."""

    engine: Engine
    client: PartnerClient
    address: str
    later: timedelta = timedelta()
    pace: Pace = field(default_factory=Pace)

    async def round(self) -> int:
        """Visit whatever is due once; how much that was."""
        engine = replace(self.engine, clock=lambda: system_clock() + self.later)
        due = await take_due(engine, limit=20)
        for held in due:
            await visit_other_side(engine, held, self.client, BASE, self.pace)
        return len(due)

    async def after(self, **span: float) -> int:
        """A round, so much later than the one before."""
        self.later += timedelta(**span)
        return await self.round()

    async def row(self, task: str = "t1") -> Exchange:
        """How the exchange of a Task stands."""
        [*_, last] = await exchanges.of(self.engine.pool, [task])
        return last


@pytest.fixture(autouse=True)
def with_partners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An installation that has partners."""
    (tmp_path / "partners.json").write_text("{}")
    monkeypatch.setenv("CONSILIUM_PARTNERS_FILE", str(tmp_path / "partners.json"))
    monkeypatch.setenv("CONSILIUM_PUBLIC_URL", BASE.removesuffix("/fhir"))
    exchanges_referrals.cache_clear()
    yield
    exchanges_referrals.cache_clear()


@pytest.fixture
def elsewhere() -> Elsewhere:
    """The other system."""
    return Elsewhere()


@pytest.fixture
def partner() -> Partner:
    """How the other system is asked; modules may have another one."""
    return Partner()


@pytest.fixture
async def exchanging(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier, elsewhere: Elsewhere, partner: Partner
) -> AsyncIterator[Exchanging]:
    """Whoever is asked as mind-centre is reached at the other system."""
    async with listening(elsewhere) as url:
        address = f"{url}/fhir"
        await furnish(client, verifier)
        verifier.caller = BACK_END
        for resource in (endpoint(address), reached("mind-centre")):
            assert (await put(client, resource)).status_code in (200, 201)
        async with open_client({address: partner}, Reach(True, True, 0.5)) as partners:
            yield Exchanging(engine, partners, address)
