"""Ask the service as somebody."""

from collections.abc import Callable
from typing import Any

import httpx

from shared.engine import Engine
from shared.security.caller import Caller
from tests.factories.engine import FixedVerifier
from tests.factories.referrals import BACK_END, REQUESTER, order, practitioner_role, reference, task

API = "http://test/api/referrals"
PEOPLE = (
    *({"resourceType": "Practitioner", "id": id} for id in ("lind", "moss", "far", "co")),
    *({"resourceType": "Organization", "id": id, "name": id} for id in ("pain-clinic", "mind-centre", "elsewhere")),
    practitioner_role("r-b", "Practitioner/moss", "Organization/mind-centre"),
)
As = Callable[[Caller], None]


async def put(client: httpx.AsyncClient, resource: dict[str, Any], version: int | None = None) -> httpx.Response:
    """PUT, with If-Match where a version is given."""
    headers = {} if version is None else {"If-Match": f'W/"{version}"'}
    return await client.put(f"{resource['resourceType']}/{resource['id']}", json=resource, headers=headers)


async def furnish(client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    """The directory and an order, brought in by a back end."""
    verifier.caller = BACK_END
    for resource in (*PEOPLE, order()):
        answer = await put(client, resource)
        assert answer.status_code == 201, answer.text


async def send(client: httpx.AsyncClient, verifier: FixedVerifier, id: str = "t1", **more: Any) -> None:
    """A referral, sent by its requester."""
    verifier.caller = REQUESTER
    answer = await put(client, task("received", "2.0", id=id, **({"owner": reference("PractitionerRole/r-b")} | more)))
    assert answer.status_code == 201, answer.text


async def told(engine: Engine) -> list[tuple[str, str]]:
    """(type, subject) of every event in the outbox, in order; but for those that copies are kept by."""
    rows = await engine.pool.fetch("SELECT type, subject FROM outbox WHERE type NOT LIKE 'record.%' ORDER BY seq")
    return [(row["type"], row["subject"]) for row in rows]
