"""What people and EHRs do in these tests: bring in patients, send referrals, act on them."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import httpx

from shared.ids import uuid7
from shared.security.caller import Caller, Discipline
from tests.factories.referrals import practitioner_role
from tests.factories.resources import bundle, entry, patient
from tests.factories.system import EHR, PSYCHOLOGIST, SPECIALIST, THERAPIST

CODES = {Discipline.MENTAL_HEALTH: "308459004", Discipline.PHYSICAL_THERAPY: "308447003"}
"""What is ordered (SNOMED CT): referral to a psychologist, to a physiotherapist."""
AT_ONCE = 16
PEOPLE = (
    *({"resourceType": "Practitioner", "id": id} for id in ("co", "lind", "moss", "park")),
    *({"resourceType": "Organization", "id": id, "name": id} for id in ("network", "pain-clinic", "mind", "motion")),
    practitioner_role("lind-r", "Practitioner/lind", "Organization/pain-clinic"),
)


class Place(Protocol):
    """Where requests go."""

    def by(self, caller: Caller) -> httpx.AsyncClient:
        """The client of ``caller``."""


@dataclass(frozen=True)
class Sent:
    """A referral that was acknowledged."""

    task: str
    order: str
    patient: str
    owner: Caller


async def furnish(place: Place, patients: int = 1) -> list[str]:
    """Bring in the directory and ``patients`` new patients; their references."""
    client = place.by(EHR)
    people = bundle("batch", *(entry("PUT", f"{one['resourceType']}/{one['id']}", one) for one in PEOPLE))
    answer = await client.post("/fhir", json=people)
    assert {one["response"]["status"][:2] for one in answer.json()["entry"]} == {"20"}, answer.text
    answer = await client.post("/fhir", json=bundle("batch", *(_new_patient() for _ in range(patients))))
    assert answer.status_code == 200, answer.text
    return [located(one) for one in answer.json()["entry"]]


def referral(of: str, owner: Caller = PSYCHOLOGIST) -> dict[str, Any]:
    """A transaction: the order and the Task that asks ``owner``'s organization to fulfil it."""
    assert owner.discipline is not None
    coding = {"coding": [{"system": "http://snomed.info/sct", "code": CODES[owner.discipline]}]}
    order = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "code": coding,
        "subject": {"reference": of},
        "requester": {"reference": SPECIALIST.fhir_user},
        "authoredOn": "2026-03-01",
    }
    task = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/task-code", "code": "fulfill"}]},
        "focus": {"reference": (full_url := f"urn:uuid:{uuid7()}")},
        "for": {"reference": of},
        "authoredOn": "2026-03-01T09:00:00Z",
        "requester": {"reference": SPECIALIST.fhir_user},
        "owner": {"reference": owner.organization},
    }
    return bundle("transaction", entry("POST", "ServiceRequest", order, full_url), entry("POST", "Task", task))


async def send(place: Place, of: str, owner: Caller = PSYCHOLOGIST) -> Sent | None:
    """Send a referral as its requester; None where it was not acknowledged, whatever became of it."""
    try:
        answer = await place.by(SPECIALIST).post("/fhir", json=referral(of, owner))
    except httpx.TransportError:
        return None
    if answer.status_code != 200:
        assert answer.status_code >= 500, answer.text
        return None
    order, task = answer.json()["entry"]
    return Sent(located(task), located(order), of, owner)


def located(answered: dict[str, Any]) -> str:
    """The relative reference of what a Bundle's entry made."""
    response = answered["response"]
    assert response["status"].startswith("201"), response
    type_, id_ = response["location"].partition("/_history")[0].split("/")[-2:]
    return f"{type_}/{id_}"


async def burst(place: Place, patients: Iterable[str], size: int) -> list[Sent]:
    """Send ``size`` referrals for ``patients`` in turn, ``AT_ONCE`` at a time; those that were acknowledged."""
    waiting = list(patients)
    turns = iter(range(size))
    sent: list[Sent] = []

    async def sender() -> None:
        for turn in turns:
            one = await send(place, waiting[turn % len(waiting)], (PSYCHOLOGIST, THERAPIST)[turn % 2])
            if one is not None:
                sent.append(one)

    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return sent


async def act(place: Place, sent: Sent, action: str, **inputs: str) -> None:
    """Let the owner take one action over REST, from the version that they see."""
    client = place.by(sent.owner)
    address = f"/api/referrals/{sent.task.partition('/')[2]}"
    seen = await client.get(address)
    assert seen.status_code == 200, seen.text
    headers = {"If-Match": seen.headers["etag"]}
    answer = await client.post(f"{address}/actions/{action}", json=inputs, headers=headers)
    assert answer.status_code == 200, answer.text


def _new_patient() -> dict[str, Any]:
    return entry("POST", "Patient", patient(identifier=[{"system": "urn:oid:1.2.3", "value": uuid7()}]))
