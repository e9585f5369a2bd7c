"""Proposals as tests make them and decide on them, over FHIR."""

from typing import Any

import httpx

from services.careplans.app.catalogue import load_catalogue
from services.careplans.app.commands import open_plan
from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from shared.security.caller import Caller, Discipline, Role
from tests.integration.careplans.hearing import new_patient, store
from tests.unit.services.careplans.domain.applying.patients import DEFINITIONS, condition, observation

COORDINATOR = Caller("k", Role.COORDINATOR, fhir_user="Practitioner/k")
THERAPIST = Caller("t", Role.CLINICIAN, Discipline.PHYSICAL_THERAPY, fhir_user="Practitioner/t")
PSYCHOLOGIST = Caller("p", Role.CLINICIAN, Discipline.MENTAL_HEALTH, fhir_user="Practitioner/p")
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
JSON = {"content-type": "application/fhir+json"}


async def patient_with(engine: Engine, *resources: Resource) -> tuple[str, str]:
    """The catalogue, and a patient with ``resources`` and an open plan; the references of both."""
    await load_catalogue(engine, DEFINITIONS)
    patient = await new_patient(engine)
    for resource in resources:
        owned = {name: value for name, value in resource.items() if name != "id"} | {"subject": {"reference": patient}}
        if "verificationStatus" in owned:
            owned["verificationStatus"] = {"coding": [{"system": VERIFICATION, "code": "confirmed"}]}
        await store(engine, owned)
    plan, _ = await open_plan(engine, COORDINATOR, patient)
    return patient, f"CarePlan/{plan}"


def in_pain() -> list[Resource]:
    """Chronic pain with psychological factors, and what comes with it."""
    told = [observation("phq9", 14), observation("pcs", 35), observation("isi", 17), observation("peg", 7)]
    return [condition("F45.42"), *(each | {"effectiveDateTime": "2026-11-01"} for each in told)]


def parameters(*named: tuple[str, Any]) -> bytes:
    """Parameters of strings, booleans, references (``Type/id``) and parts."""
    return dumps({"resourceType": "Parameters", "parameter": [_parameter(*each) for each in named]})


def _parameter(name: str, value: Any) -> Resource:
    if isinstance(value, bool):
        return {"name": name, "valueBoolean": value}
    if isinstance(value, int):
        return {"name": name, "valueInteger": value}
    if isinstance(value, list | tuple):
        return {"name": name, "part": [_parameter(*each) for each in value]}
    element = "valueReference" if name in ("definition", "owner") else "valueString"
    return {"name": name, element: {"reference": value} if element == "valueReference" else value}


async def propose(client: httpx.AsyncClient, plan: str, definition: str, *more: tuple[str, Any]) -> httpx.Response:
    """``$propose``."""
    body = parameters(("definition", definition), *more)
    return await client.post(f"{plan}/$propose", content=body, headers=JSON)


def decision(action: str, answer: str = "accept", **more: Any) -> tuple[str, Any]:
    """A decision on an action."""
    return "decision", [("action", action), ("answer", answer), *more.items()]


async def decide(
    client: httpx.AsyncClient, group: Resource, *decisions: tuple[str, Any], **headers: str
) -> httpx.Response:
    """``$decide``."""
    url = f"RequestGroup/{group['id']}/$decide"
    return await client.post(url, content=parameters(*decisions), headers=JSON | headers)


async def read(client: httpx.AsyncClient, reference: str) -> Resource:
    """A resource as it is now."""
    answer = await client.get(reference)
    assert answer.status_code == 200, answer.text
    found: Resource = answer.json()
    return found


async def proposed(client: httpx.AsyncClient, plan: str, definition: str, *more: tuple[str, Any]) -> Resource:
    """A new proposal."""
    answer = await propose(client, plan, definition, *more)
    assert answer.status_code == 201, answer.text
    group: Resource = answer.json()
    return group


def action_of(group: Resource) -> str:
    """The id of the only action."""
    (action,) = group["action"]
    return str(action["id"])


def every(actions: list[Resource]) -> list[Resource]:
    """The actions and their parts."""
    return [each for action in actions for each in (action, *every(action.get("action", [])))]


async def waiting(engine: Engine) -> list[tuple[str, str]]:
    """The orders, by action, and how each stands."""
    rows = await engine.pool.fetch("SELECT action, state FROM referral_order ORDER BY action")
    return [(row["action"], row["state"]) for row in rows]
