"""A message that brings a Task goes where the tables say and nowhere else: see ``tests/integration/referrals/ways``.

All that is legal, and a share of the rest: a message goes through the gateway and two services."""

from collections.abc import Sequence
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest

from services.gateway.messages import transaction_of
from tests.e2e.evidence import Evidence
from tests.factories.messages import EVENT
from tests.factories.referrals import BACK_END, FOREIGN_EHR, OWNING_EHR, REQUESTING_EHR
from tests.factories.resources import bundle, entry
from tests.factories.system import System
from tests.integration.referrals.asking import PEOPLE
from tests.integration.referrals.ways.table import STATES, Attempt, answer
from tests.integration.referrals.ways.trying import Change, Place, attempts, check, one_by_one

Resource = dict[str, Any]
EHRS = (REQUESTING_EHR, OWNING_EHR, FOREIGN_EHR)
SHARE = 6
NUMBERS = count()


def message(client: httpx.AsyncClient, number: int, task: Resource) -> Resource:
    """A message about ``task``, which its sender knows by an address of ours."""
    base = f"{str(client.base_url).rstrip('/')}/fhir"
    header = {"resourceType": "MessageHeader", "id": f"h-{number}", "eventCoding": EVENT, "source": {"endpoint": base}}
    return bundle(
        "message",
        *({"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in (header, task)),
    )


def sample(tried: Sequence[Attempt]) -> list[Attempt]:
    """All that is legal, and of the rest every ``SHARE``-th."""
    return [each for number, each in enumerate(tried) if answer(each) == 200 or number % SHARE == 0]


@pytest.mark.timeout(300)
async def test_a_message_goes_where_the_tables_say_and_nowhere_else(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site:
        people = bundle("batch", *(entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in PEOPLE))
        assert (await site.by(BACK_END).post("/fhir", json=people)).status_code == 200
        place = Place(site.by, partial(evidence.rows, "referrals"), "/fhir")
        # what the sender calls Task/t is kept under an id that follows from its address
        sent_as: dict[str, str] = {}

        async def by_message(client: httpx.AsyncClient, change: Change) -> int:
            task = change[1] | {"id": sent_as[change[1]["id"]]}
            answered = await client.post("/fhir/$process-message", json=message(client, next(NUMBERS), task))
            return answered.status_code

        def named(name: str) -> str:
            made = transaction_of(message(site.by(BACK_END), 0, {"resourceType": "Task", "id": name}))
            id: str = made["entry"][1]["resource"]["id"]
            sent_as[id] = name
            return id

        tried = 0
        for number, source in enumerate(STATES):
            few = sample(attempts(source, EHRS))
            await check(place, f"message-{number}", one_by_one(by_message), few, name=named)
            tried += len(few)
        assert tried > 800
