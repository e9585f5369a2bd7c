"""Parameters of all resources, ``_list``, and what guides add (http://hl7.org/fhir/R4/search.html#all)."""

import httpx
import pytest

from shared.fhir.json import Resource
from tests.factories.asking import found, put, refused

PATIENTS: list[Resource] = [
    {
        "resourceType": "Patient",
        "id": "vip",
        "meta": {
            "tag": [{"system": "urn:tags", "code": "Pilot", "display": "Pilot project"}],
            "security": [{"system": "urn:labels", "code": "R"}],
        },
    },
    {"resourceType": "Patient", "id": "plain"},
    {"resourceType": "Patient", "id": "gone"},
]
LIST: Resource = {
    "resourceType": "List",
    "id": "42",
    "status": "current",
    "mode": "working",
    "entry": [
        {"item": {"reference": "Patient/vip"}},
        {"item": {"reference": "Practitioner/who"}},
        {"item": {"reference": "Patient/gone"}, "deleted": True},
    ],
}
WHO: Resource = {"resourceType": "Practitioner", "id": "who"}
SUBJECT = {"reference": "Patient/plain"}
GUIDES: list[Resource] = [
    {
        "resourceType": "CareTeam",
        "id": "team",
        "subject": SUBJECT,
        "participant": [
            {"role": [{"coding": [{"system": "urn:r", "code": "pt"}]}], "member": {"reference": "Practitioner/who"}}
        ],
    },
    {
        "resourceType": "Goal",
        "id": "goal",
        "lifecycleStatus": "active",
        "subject": SUBJECT,
        "description": {"coding": [{"system": "urn:g", "code": "walk"}], "text": "Walk more"},
    },
    {
        "resourceType": "ServiceRequest",
        "id": "order",
        "status": "active",
        "intent": "order",
        "subject": SUBJECT,
        "supportingInfo": [{"reference": "Goal/goal"}],
    },
    {
        "resourceType": "Task",
        "id": "task",
        "status": "completed",
        "intent": "order",
        "for": SUBJECT,
        "output": [{"type": {"text": "result"}, "valueReference": {"reference": "Goal/goal"}}],
    },
]
EVERYTHING = [*PATIENTS, WHO, LIST, *GUIDES]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Patient?_id=vip,gone", "gone vip"),
        ("Patient?_id:not=vip", "gone plain"),
        ("Patient?_id:missing=true", ""),
        ("Patient?_id:missing=false", "gone plain vip"),
        ("Patient?_lastUpdated:missing=true", ""),
        ("Patient?_lastUpdated=gt2020&_lastUpdated=lt9000", "gone plain vip"),
        ("Patient?_lastUpdated=lt2020", ""),
        ("Patient?_tag=pilot", "vip"),
        ("Patient?_tag=urn:tags|pilot", "vip"),
        ("Patient?_tag=urn:other|pilot", ""),
        ("Patient?_tag:not=urn:tags|pilot", "gone plain"),
        ("Patient?_tag:text=pilot p", "vip"),
        ("Patient?_tag:missing=true", "gone plain"),
        ("Patient?_security=urn:labels|R", "vip"),
        ("Patient?_security:not=R", "gone plain"),
        ("Patient?_list=42", "vip"),
        ("Practitioner?_list=42", "who"),
        ("Goal?_list=42", ""),
        ("Patient?_list=42&_id=gone", ""),
    ],
)
async def test_parameters_of_every_resource(fhir: httpx.AsyncClient, query: str, expected: str) -> None:
    """http://hl7.org/fhir/R4/search.html#all, http://hl7.org/fhir/R4/search.html#list."""
    await put(fhir, EVERYTHING)
    assert sorted(await found(fhir, query)) == expected.split()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("CareTeam?role=urn:r|pt", ["team"]),
        ("CareTeam?patient=plain&role=pt", ["team"]),
        ("CareTeam?role=other", []),
        ("Goal?description=walk", ["goal"]),
        ("Goal?description:text=walk m", ["goal"]),
        ("Task?output=Goal/goal", ["task"]),
        ("Task?output=Goal/other", []),
        ("ServiceRequest?supporting-info=Goal/goal", ["order"]),
    ],
)
async def test_parameters_of_the_guides(fhir: httpx.AsyncClient, query: str, expected: list[str]) -> None:
    """http://hl7.org/fhir/us/core/STU7/CapabilityStatement-us-core-server.html and SDOH Clinical Care."""
    await put(fhir, EVERYTHING)
    assert await found(fhir, query) == expected


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Patient?_list=nowhere", "not-found"),
        ("Patient?_list=$current-problems", "not-supported"),
        ("Location?near=1|2|3|km", "not-supported"),
        ("Bundle?composition=Composition/1", "not-supported"),
        ("Bundle?message=MessageHeader/1", "not-supported"),
        ("Patient?_text=x", "not-supported"),
        ("Patient?_content=x", "not-supported"),
        ("Patient?_query=x", "not-supported"),
        ("Patient?_id:exact=x", "not-supported"),
        ("Patient?_lastUpdated:not=2020", "not-supported"),
    ],
)
async def test_what_there_is_not_is_refused(fhir: httpx.AsyncClient, query: str, code: str) -> None:
    """http://hl7.org/fhir/R4/search.html#errors."""
    assert await refused(fhir, query) == code
