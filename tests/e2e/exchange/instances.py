"""Two installations of referrals, one of which refers to the other over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from services.referrals.main import SERVICE
from services.referrals.partners.known import Partner
from shared.engine import Engine
from shared.errors import Unauthenticated
from shared.security.caller import Caller, Role
from shared.service import service_app
from tests.factories.engine import running_engine
from tests.factories.referrals import BACK_END, OWNER, REQUESTER
from tests.integration.referrals.asking import PEOPLE
from tests.listening import listening

BASE = "https://source.example/fhir"
"""That of the source, as the recipient knows it."""
SOURCE = Caller("source", Role.SYSTEM, None, None, "Organization/pain-clinic")
CALLERS = {"back-end": BACK_END, "owner": OWNER, "requester": REQUESTER, "source": SOURCE}


class ByName:
    """A verifier for whom the name of a caller is a token."""

    async def verify(self, authorization: str | None) -> Caller:
        """The caller of that name."""
        name = (authorization or "").removeprefix("Bearer ")
        if name not in CALLERS:
            raise Unauthenticated("A bearer token is required.")
        return CALLERS[name]


@dataclass(frozen=True)
class Instance:
    """One installation."""

    engine: Engine
    http: httpx.AsyncClient
    base: str

    async def ask(self, name: str, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        """One request by the caller of that name."""
        shown = {"authorization": f"Bearer {name}", **{key.replace("_", "-"): value for key, value in headers.items()}}
        return await self.http.request(method, path, json=json, headers=shown)

    async def put(self, name: str, resource: dict[str, Any], version: int | None = None) -> httpx.Response:
        """PUT, with If-Match where a version is given."""
        headers = {} if version is None else {"if_match": f'W/"{version}"'}
        return await self.ask(name, "PUT", f"{resource['resourceType']}/{resource['id']}", resource, **headers)

    async def read(self, reference: str) -> dict[str, Any]:
        """What is stored."""
        answer = await self.ask("back-end", "GET", reference)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def instance(database_url: str) -> AsyncIterator[Instance]:
    """An installation on a migrated database, with its directory, on a socket."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running_engine(database_url, SERVICE))
        app = service_app(SERVICE, engine, ByName())
        url = await stack.enter_async_context(listening(app))  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://test/fhir/"))
        one = Instance(engine, http, f"{url}/fhir")
        people = (resource for resource in PEOPLE if resource["resourceType"] != "PractitionerRole")
        made = await asyncio.gather(*(one.put("back-end", resource) for resource in people))
        assert {answer.status_code for answer in made} == {201}
        yield one


async def reach(source: Instance, address: str, owner: str = "mind-centre") -> None:
    """Whoever owns a referral as Organization/``owner`` at ``source`` is reached at ``address``."""
    kind = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "hl7-fhir-rest"}
    endpoint = {
        "resourceType": "Endpoint",
        "id": "there",
        "status": "active",
        "connectionType": kind,
        "payloadType": [{"text": "any"}],
        "address": address,
    }
    reached = [{"reference": "Endpoint/there"}]
    organization = {"resourceType": "Organization", "id": owner, "name": owner, "endpoint": reached}
    for resource in (endpoint, organization):
        answer = await source.put("back-end", resource)
        assert answer.status_code in (200, 201), answer.text


PARTNER = Partner(requester="Organization/pain-clinic", recipient="Organization/mind-centre")
