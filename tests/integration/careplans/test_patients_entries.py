"""What patients and their supporters write themselves, over FHIR."""

from typing import Any

import httpx
import pytest

from services.careplans.domain.entries import ENTRY
from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, store
from tests.integration.careplans.proposing import JSON

LOINC = "http://loinc.org"
PHQ9 = {"system": LOINC, "code": "44261-6"}


def entry(who: str, by: str, system: str = ENTRY, code: str = "pain-flare", **more: Any) -> Resource:
    made: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": who},
        "performer": [{"reference": by}],
        "effectiveDateTime": "2026-11-20T08:00:00Z",
        "valueString": "Worse since the stairs yesterday",
    }
    return made | more


async def post(client: httpx.AsyncClient, resource: Resource) -> httpx.Response:
    return await client.post(resource["resourceType"], content=dumps(resource), headers=JSON)


async def supporter(engine: Engine, patient: str, **more: Any) -> str:
    return await store(engine, {"resourceType": "RelatedPerson", "patient": {"reference": patient}} | more)


@pytest.mark.parametrize(
    ("system", "code"),
    [(ENTRY, "pain-flare"), (ENTRY, "self-care"), (LOINC, "72514-3"), (LOINC, "75773-2"), (LOINC, "95541-9")],
)
async def test_a_patient_writes_and_corrects_their_own(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier, system: str, code: str
) -> None:
    patient = await new_patient(engine)
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    answer = await post(client, entry(patient, patient, system, code))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    url = f"Observation/{made['id']}"
    wrong = made | {"status": "entered-in-error"}
    assert (await client.delete(url)).status_code == 403
    assert (await client.put(url, content=dumps(wrong), headers=JSON)).status_code == 200


async def test_a_supporter_writes_for_whom_they_support(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, other = await new_patient(engine), await new_patient(engine)
    mother = await supporter(engine, patient)
    verifier.caller = Caller("mother", Role.PATIENT, fhir_user=mother)
    assert (await post(client, entry(patient, mother))).status_code == 201
    assert (await post(client, entry(other, mother))).status_code == 403
    assert (await post(client, entry(patient, patient))).status_code == 403
    assert (await post(client, entry(patient, mother, LOINC, "75773-2"))).status_code == 403, "the patient's to say"
    for more in ({"active": False}, {"period": {"end": "2020-01-01"}}):
        former = await supporter(engine, patient, **more)
        verifier.caller = Caller("former", Role.PATIENT, fhir_user=former)
        assert (await post(client, entry(patient, former))).status_code == 403


async def test_what_is_not_the_patients_to_say(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, other = await new_patient(engine), await new_patient(engine)
    of_others = await store(engine, entry(patient, "Practitioner/x"))
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    for refused in (
        entry(other, patient),
        entry(patient, patient, LOINC, "44261-6"),
        entry(patient, patient, code="pain-flare", component=[{"code": {"coding": [PHQ9]}, "valueInteger": 3}]),
        entry(patient, patient) | {"code": {"coding": [{"system": ENTRY, "code": "self-care"}, PHQ9]}},
        entry(patient, patient) | {"code": {"coding": [{"system": LOINC, "code": "95541-9"}, PHQ9]}},
        entry(patient, patient, LOINC, "95541-9", component=[{"code": {"coding": [PHQ9]}, "valueInteger": 3}]),
        entry(patient, patient) | {"performer": []},
        entry(patient, patient) | {"performer": [{"reference": patient}, {"reference": "Practitioner/x"}]},
    ):
        resource = {name: value for name, value in refused.items() if value != []}
        answer = await post(client, resource)
        assert answer.status_code == 403, answer.text
        assert answer.json()["issue"][0]["expression"]
    taken = entry(patient, patient) | {"id": of_others.partition("/")[2]}
    assert (await client.put(of_others, content=dumps(taken), headers=JSON)).status_code == 403
    verifier.caller = Caller("nobody", Role.PATIENT)
    assert (await post(client, entry(patient, patient))).status_code == 403
