"""A shared plan with a team of five disciplines, and what its people contribute to it."""

import json
from copy import deepcopy
from typing import Any

import httpx

from services.careplans.app.commands import open_plan
from services.careplans.domain.codes import ACTIVITY_DISCIPLINE, DISCIPLINE_SYSTEM, SHARED_PLAN_IDENTIFIER
from services.careplans.domain.rules import KEEPER
from services.careplans.store import shared_plans
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.security.caller import Caller, Discipline, Role
from shared.unit_of_work import unit_of_work
from tests.integration.careplans.hearing import new_patient, shared_plan

PAIN, MIND, PT = "pain-medicine", "mental-health", "physical-therapy"
DISCIPLINES = (PAIN, MIND, PT, "occupational-therapy", "nutrition")
COORDINATOR = Caller("k", Role.COORDINATOR, fhir_user="Practitioner/k")
NASTY: list[Resource] = [
    {"activity": 5},
    {"activity": [5]},
    {"activity": [[]]},
    {"activity": [{"id": 5}]},
    {"activity": [{"id": "x", "detail": []}]},
    {"activity": [{"id": "x", "detail": {"status": "scheduled"}}, {"id": "x", "detail": {"status": "scheduled"}}]},
    {"status": None},
    {"status": "nonsense"},
    {"_title": "x"},
    {"_title": {"extension": "x"}},
    {"note": {"text": "no list"}},
]
"""Pieces of plans that are none."""
STRANGER = Caller("s", Role.CLINICIAN, Discipline.PAIN_MEDICINE, "Practitioner/s")


def member(discipline: str, number: int = 0) -> Caller:
    """A clinician of the clinic that takes part for ``discipline``."""
    return Caller(f"{discipline}-{number}", Role.CLINICIAN, None, f"Practitioner/{discipline}-{number}", of(discipline))


def of(discipline: str) -> str:
    return f"Organization/{discipline}"


def activity(id: str | None, discipline: str | None, text: str, **detail: Any) -> Resource:
    made: Resource = {"id": id} if id else {}
    if discipline:
        made["extension"] = [{"url": ACTIVITY_DISCIPLINE, "valueCode": discipline}]
    return made | {"detail": {"status": "not-started", "description": text, "code": {"text": text}} | detail}


async def new_plan(engine: Engine, *activities: Resource) -> Resource:
    """An active shared plan with ``activities`` and a team in which every discipline takes part; version 2."""
    patient = await new_patient(engine)
    plan_id, _ = await open_plan(engine, COORDINATOR, patient)
    shared = await shared_plans.find(engine.pool, patient)
    assert shared is not None
    team = {
        "resourceType": "CareTeam",
        "id": shared.care_team,
        "status": "active",
        "subject": {"reference": patient},
        "identifier": [{"system": SHARED_PLAN_IDENTIFIER, "value": plan_id}],
        "participant": [
            {
                "id": each,
                "role": [{"coding": [{"system": DISCIPLINE_SYSTEM, "code": each}]}],
                "member": {"reference": of(each)},
            }
            for each in DISCIPLINES
        ],
    }
    plan = await shared_plan(engine, patient)
    async with unit_of_work(engine, KEEPER) as work:
        await work.update(team)
        more = {"activity": list(activities)} if activities else {}
        told = {"status": "active", "careTeam": [{"reference": f"CareTeam/{shared.care_team}"}]}
        await work.update(plan | told | more)
        await work.commit()
    return await shared_plan(engine, patient)


def changed(plan: Resource, *edits: tuple[str, Any]) -> Resource:
    """``plan`` with each path set (``activity.walk.detail.status``, where ``walk`` is an id); None takes away."""
    after = deepcopy(plan)
    for path, said in edits:
        *steps, last = path.split(".")
        at: Any = after
        for step in steps:
            at = at[step] if isinstance(at, dict) else next(each for each in at if each["id"] == step)
        if isinstance(at, list):
            at[:] = [each for each in at if each["id"] != last]
        elif said is None:
            del at[last]
        else:
            at[last] = said
    return {key: value for key, value in after.items() if value != []}


def with_activity(plan: Resource, new: Resource) -> Resource:
    return plan | {"activity": [*plan.get("activity", ()), new]}


async def contribute(
    client: httpx.AsyncClient, plan: Resource, reason: str | None = None, **more: Any
) -> httpx.Response:
    """POST the contribution; ``meta.versionId`` says what it was made from."""
    given: list[Resource] = [{"name": "resource", "resource": plan}]
    if reason is not None:
        given.append({"name": "reason", "valueString": reason})
    body = {"resourceType": "Parameters", "parameter": given}
    return await client.post(f"CarePlan/{plan['id']}/$contribute", json=body, **more)


def diff_in(answer: httpx.Response) -> list[dict[str, Any]]:
    """The elements that an OperationOutcome tells of, with their values as JSON."""
    (diff,) = answer.json()["contained"]
    found = []
    for parameter in diff["parameter"]:
        if parameter["name"] == "element":
            parts = {part["name"]: next(v for k, v in part.items() if k != "name") for part in parameter["part"]}
            found.append({k: json.loads(v) if k in ("base", "theirs", "mine") else v for k, v in parts.items()})
    return found


def named(answer: httpx.Response, name: str) -> Any:
    """A parameter of the diff in an OperationOutcome."""
    (diff,) = answer.json()["contained"]
    found = next(parameter for parameter in diff["parameter"] if parameter["name"] == name)
    return next(said for key, said in found.items() if key != "name")


async def version_of(engine: Engine, plan: Resource) -> int:
    found: int = await engine.pool.fetchval(
        "SELECT version FROM resource WHERE type = 'CarePlan' AND id = $1", plan["id"]
    )
    return found
