"""Requests about shared plans that carry a canary: definitions, proposals, decisions, other plans, minutes, views."""

from collections.abc import Iterator
from typing import Any

from tests.e2e.canaries import CANARY, ID, Sent
from tests.factories.resources import care_plan

URL = f"https://example.org/{CANARY}"
FHIRPATH = "text/fhirpath"


def definitions() -> Iterator[Sent]:
    """What proposals are made of: one that can be applied, and others that cannot."""
    for id_, condition in (
        (ID, "true"),
        (f"{ID}-unknown", f"%{CANARY}"),
        (f"{ID}-unread", f"'{CANARY}"),
        (f"{ID}-broken", f"'{CANARY}' > 1"),
    ):
        when = {"kind": "applicability", "expression": {"language": FHIRPATH, "expression": condition}}
        yield Sent("PUT", f"/fhir/PlanDefinition/{id_}", _plan_definition(id_, condition=[when]))
    for more in (
        {"definitionCanonical": URL},
        {"dynamicValue": [{"path": CANARY, "expression": {"language": FHIRPATH, "expression": CANARY}}]},
        {
            "dynamicValue": [
                {"path": "timingDateTime", "expression": {"language": FHIRPATH, "expression": f"'{CANARY}'"}}
            ]
        },
        {"action": [{"id": CANARY, "title": CANARY}]},
    ):
        id_ = f"{ID}-{next(iter(more)).lower()}"
        yield Sent("PUT", f"/fhir/PlanDefinition/{id_}", _plan_definition(id_, **more))


def _plan_definition(id_: str, **more: Any) -> dict[str, Any]:
    action = {"id": CANARY, "title": CANARY, "description": CANARY} | more
    return {
        "resourceType": "PlanDefinition",
        "id": id_,
        "url": f"{URL}/{id_}",
        "title": CANARY,
        "status": "active",
        "action": [action],
    }


def applied() -> Iterator[Sent]:
    """Definitions applied to the canaries' patient, and to nobody."""
    subject = {"name": "subject", "valueReference": {"reference": f"Patient/{ID}"}}
    told = (
        {"name": "matters", "valueString": CANARY},
        {"name": "declined", "part": [{"name": "treatment", "valueCode": CANARY}, {"name": CANARY}]},
        {"name": "wait", "part": [{"name": "discipline", "valueCode": CANARY}]},
        {"name": CANARY, "valueString": CANARY},
    )
    for id_ in (ID, *(f"{ID}-{name}" for name in ("unknown", "unread", "broken", "dynamicvalue", "action", "absent"))):
        yield Sent("GET", f"/fhir/PlanDefinition/{id_}/$apply?subject=Patient/{ID}")
    for each in told:
        asked = {"resourceType": "Parameters", "parameter": [subject, each]}
        yield Sent("POST", f"/fhir/PlanDefinition/{ID}/$apply", asked)
    for query in (f"subject={CANARY}", f"subject=Patient/{ID}-absent", f"subject=Patient/{ID}&{CANARY}={CANARY}"):
        yield Sent("GET", f"/fhir/PlanDefinition/{ID}/$apply?{query}")


def about(plan: str, proposal: str) -> Iterator[Sent]:
    """Everything of a shared plan (its id) that has a stored proposal (its id)."""
    yield from _proposed(plan, proposal)
    source = care_plan(f"Patient/{ID}", id=f"{ID}-ehr", title=CANARY, activity=[{"id": CANARY, "detail": _DETAIL}])
    yield Sent("PUT", f"/fhir/CarePlan/{ID}-ehr", source)
    for taken in (
        {"version": 1, "items": [CANARY], "reason": CANARY},
        {"version": 1, "items": [f"{CANARY}-absent"], "reason": CANARY},
        {"version": CANARY, "items": CANARY, CANARY: CANARY},
    ):
        yield Sent("POST", f"/api/plans/{plan}/sources/{ID}-ehr/take", taken)
        yield Sent("POST", f"/api/plans/{plan}/sources/{CANARY}/take", taken)
    for path in ("sources", "plain", "proposals", "measures", "chain", "minutes", "safety", "measures/chart.svg"):
        yield Sent("GET", f"/api/plans/{plan}/{path}")
        yield Sent("GET", f"/api/plans/{ID}/{path}?{CANARY}={CANARY}")
    for query in (f"measure={CANARY}", f"from={CANARY}", f"to={CANARY}"):
        yield Sent("GET", f"/api/plans/{plan}/measures/chart.svg?{query}")
    yield Sent("GET", f"/api/plans/{plan}/measures/chart.{CANARY}")
    yield Sent("GET", f"/api/plans/{plan}/chain?task=Task/{CANARY}&about={CANARY}")
    yield Sent("GET", f"/api/plans/{plan}/evidence?month={CANARY}")
    for path in (f"board?list={CANARY}", f"board?cursor={CANARY}", f"revisits?due_before={CANARY}&cursor={CANARY}"):
        yield Sent("GET", f"/api/plans/{path}")
    for spent in ({"minutes": CANARY, CANARY: CANARY}, {"minutes": 20, "by": CANARY, "note": CANARY}):
        yield Sent("POST", f"/api/plans/{plan}/minutes", spent, {"idempotency-key": CANARY})


_DETAIL = {"status": "not-started", "description": CANARY, "code": {"text": CANARY}}


def _proposed(plan: str, proposal: str) -> Iterator[Sent]:
    for parts in (
        {"action": CANARY, "answer": "accept", "description": CANARY, "reason": CANARY},
        {"action": CANARY, "answer": "decline", "reason": f"{CANARY} again"},
        {"action": f"{CANARY}-absent", "answer": "accept"},
        {"action": CANARY, "answer": CANARY},
        {"action": CANARY, "answer": "accept", "priority": CANARY},
        {"action": CANARY, "answer": "accept", "owner": f"Practitioner/{CANARY}", "discipline": CANARY},
        {CANARY: CANARY},
    ):
        part = [{"name": name, "valueString": value} for name, value in parts.items()]
        decided = {"resourceType": "Parameters", "parameter": [{"name": "decision", "part": part}]}
        yield Sent("POST", f"/fhir/RequestGroup/{proposal}/$decide", decided, {"if-match": CANARY})
        yield Sent("POST", f"/fhir/RequestGroup/{proposal}/$decide", decided)
        yield Sent("POST", f"/api/plans/{plan}/proposals/{proposal}/decisions", {"decisions": [parts]})
        yield Sent("POST", f"/api/plans/{plan}/proposals/{CANARY}/decisions", {"decisions": [parts]})
    for definition in (f"PlanDefinition/{ID}", f"PlanDefinition/{ID}-broken", f"PlanDefinition/{CANARY}", CANARY):
        named = {"name": "definition", "valueReference": {"reference": definition}}
        for more in ({"name": "matters", "valueString": CANARY}, {"name": CANARY}):
            asked = {"resourceType": "Parameters", "parameter": [named, more]}
            yield Sent("POST", f"/fhir/CarePlan/{plan}/$propose", asked)
            yield Sent("POST", f"/fhir/CarePlan/{ID}/$propose", asked)
        wanted = {"definition": definition, "matters": CANARY, "declined": [{"treatment": "x", "reason": CANARY}]}
        yield Sent("POST", f"/api/plans/{plan}/proposals", wanted)
        yield Sent("POST", f"/api/plans/{plan}/proposals", wanted | {CANARY: CANARY})
