"""Entries by criteria, and patches, in a transaction over services (http://hl7.org/fhir/R4/http.html#trules)."""

import base64
from typing import Any

import httpx
import pytest

from shared.fhir.json import Resource, dumps
from tests.factories.resources import bundle, entry, patient
from tests.factories.spanning import PATIENT, STORED
from tests.factories.town import Town

NPI = "http://hl7.org/fhir/sid/us-npi"
NOTHING = dict.fromkeys(STORED, 0)
SERVICES_TYPES = ["Practitioner", "Communication", "Patient"]
"""A type of each service; the last one's service commits."""


def numbered(type_: str, number: str, **more: Any) -> Resource:
    """A resource with a number to find it by."""
    base = {"resourceType": type_, "identifier": [{"system": NPI, "value": number}]} | more
    return base | {"status": "preparation"} if type_ == "Communication" else base


def other(type_: str) -> Resource:
    """An entry of another service than the one that owns ``type_``, so that the transaction spans two."""
    if type_ == "Patient":
        return entry("POST", "Practitioner", {"resourceType": "Practitioner"})
    return entry("POST", "Patient", patient(), PATIENT)


def status(answer: httpx.Response) -> str:
    """What the first entry was answered."""
    assert answer.status_code == 200, answer.text
    return str(answer.json()["entry"][0]["response"]["status"])


async def there(town: Town, type_: str) -> list[Resource]:
    """What is stored of a type."""
    found = (await town.client.get(f"/fhir/{type_}?_total=none")).json()
    return [one["resource"] for one in found.get("entry", [])]


def patching(type_: str, patch: list[dict[str, Any]], query: str) -> Resource:
    """A JSON Patch entry."""
    data = base64.b64encode(dumps(patch)).decode()
    binary = {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": data}
    return entry("PATCH", f"{type_}{query}", binary)


LANGUAGE = [{"op": "add", "path": "/language", "value": "en"}]


@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_a_conditional_update_that_finds_nothing_creates(three: Town, type_: str) -> None:
    """http://hl7.org/fhir/R4/http.html#cond-update"""
    put = entry("PUT", f"{type_}?identifier={NPI}|7", numbered(type_, "7"))
    assert status(await three.post(bundle("transaction", put, other(type_)))) == "201 Created"
    assert [one["identifier"][0]["value"] for one in await there(three, type_) if "identifier" in one] == ["7"]


@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_a_conditional_update_with_an_id_of_the_clients_creates_under_it(three: Town, type_: str) -> None:
    put = entry("PUT", f"{type_}?identifier={NPI}|7", numbered(type_, "7", id="mine"))
    assert status(await three.post(bundle("transaction", put, other(type_)))) == "201 Created"
    assert "mine" in [one["id"] for one in await there(three, type_)]


@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_a_conditional_update_changes_what_it_finds(three: Town, type_: str) -> None:
    await three.client.put(f"/fhir/{type_}/x", json=numbered(type_, "7", id="x"))
    put = entry("PUT", f"{type_}?identifier={NPI}|7", numbered(type_, "7", language="en"))
    assert status(await three.post(bundle("transaction", put, other(type_)))) == "200 OK"
    assert (await three.client.get(f"/fhir/{type_}/x")).json()["language"] == "en"


@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_what_an_update_by_criteria_finds_or_makes_is_referred_to(three: Town, type_: str) -> None:
    """By its fullUrl, from another service."""
    url = "urn:uuid:00000000-0000-4000-8000-0000000000aa"
    put = entry("PUT", f"{type_}?identifier={NPI}|7", numbered(type_, "7"), url)
    about = {"Patient": _asked, "Practitioner": _cared_for, "Communication": _note}[type_](url)
    answer = await three.post(bundle("transaction", put, entry("POST", about["resourceType"], about)))
    assert status(answer) == "201 Created"
    made = answer.json()["entry"][0]["response"]["location"].partition("/_history")[0]
    made = "/".join(made.split("/")[-2:])
    (stored,) = await there(three, about["resourceType"])
    assert made in str(stored)


def _asked(reference: str) -> Resource:
    participant = {"actor": {"reference": reference}, "status": "needs-action"}
    return {"resourceType": "Appointment", "status": "proposed", "participant": [participant]}


def _cared_for(reference: str) -> Resource:
    return patient(generalPractitioner=[{"reference": reference}])


def _note(reference: str) -> Resource:
    return {"resourceType": "Basic", "code": {"text": "note"}, "subject": {"reference": reference}}


@pytest.mark.parametrize("type_", SERVICES_TYPES)
@pytest.mark.parametrize("query", ["/x", f"?identifier={NPI}|7"], ids=["by id", "by criteria"])
async def test_a_patch_is_applied(three: Town, type_: str, query: str) -> None:
    """http://hl7.org/fhir/R4/http.html#patch"""
    await three.client.put(f"/fhir/{type_}/x", json=numbered(type_, "7", id="x"))
    answer = await three.post(bundle("transaction", patching(type_, LANGUAGE, query), other(type_)))
    assert status(answer) == "200 OK"
    stored = (await three.client.get(f"/fhir/{type_}/x")).json()
    assert (stored["language"], stored["meta"]["versionId"]) == ("en", "2")


@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_a_patch_that_does_not_fit_refuses_all(three: Town, type_: str) -> None:
    await three.client.put(f"/fhir/{type_}/x", json=numbered(type_, "7", id="x"))
    wrong = [{"op": "test", "path": "/language", "value": "de"}]
    answer = await three.post(bundle("transaction", patching(type_, wrong, "/x"), other(type_)))
    assert answer.status_code == 422
    assert sum((await three.stored()).values()) == 1
    assert await three.prepared() == 0


@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_a_patch_of_nothing_refuses_all(three: Town, type_: str) -> None:
    answer = await three.post(bundle("transaction", patching(type_, LANGUAGE, f"?identifier={NPI}|7"), other(type_)))
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].request.url"]
    assert await three.stored() == NOTHING


@pytest.mark.parametrize("found", [True, False], ids=["found", "not found"])
@pytest.mark.parametrize("type_", SERVICES_TYPES)
async def test_a_conditional_delete_deletes_what_it_finds(three: Town, type_: str, found: bool) -> None:
    """http://hl7.org/fhir/R4/http.html#3.1.0.7.1"""
    await three.client.put(f"/fhir/{type_}/x", json=numbered(type_, "7" if found else "8", id="x"))
    answer = await three.post(bundle("transaction", entry("DELETE", f"{type_}?identifier={NPI}|7"), other(type_)))
    assert status(answer) == "204 No Content"
    assert (await three.client.get(f"/fhir/{type_}/x")).status_code == (410 if found else 200)


@pytest.mark.parametrize("type_", SERVICES_TYPES)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
async def test_criteria_that_match_several_refuse_all(three: Town, type_: str, method: str) -> None:
    for id_ in ("x", "y"):
        await three.client.put(f"/fhir/{type_}/{id_}", json=numbered(type_, "7", id=id_))
    criteria = f"?identifier={NPI}|7"
    first = {
        "PUT": lambda: entry("PUT", f"{type_}{criteria}", numbered(type_, "7")),
        "PATCH": lambda: patching(type_, LANGUAGE, criteria),
        "DELETE": lambda: entry("DELETE", f"{type_}{criteria}"),
        "POST": lambda: entry("POST", type_, numbered(type_, "7"), ifNoneExist=criteria[1:]),
    }[method]()
    answer = await three.post(bundle("transaction", first, other(type_)))
    assert answer.status_code == 412
    assert sum((await three.stored()).values()) == 2
    assert await three.prepared() == 0


async def test_a_conditional_reference_inside_one_service_may_find_what_the_transaction_makes(three: Town) -> None:
    """http://hl7.org/fhir/R4/http.html#trules"""
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": f"Patient?identifier={NPI}|7"},
    }
    answer = await three.post(
        bundle(
            "transaction",
            entry("POST", "CarePlan", plan),
            entry("POST", "Patient", numbered("Patient", "7")),
            entry("POST", "Practitioner", numbered("Practitioner", "8")),
        )
    )
    assert answer.status_code == 200, answer.text
    (stored,) = await there(three, "CarePlan")
    (made,) = await there(three, "Patient")
    assert stored["subject"] == {"reference": f"Patient/{made['id']}"}


def ordered_for(subject: str) -> Resource:
    """A draft of an order."""
    return {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": subject},
    }


@pytest.mark.parametrize("spans", [True, False], ids=["over services", "of one service"])
@pytest.mark.parametrize("prefer", ["handling=lenient", "return=minimal", ""])
@pytest.mark.parametrize(
    ("criteria", "text"),
    [
        ("_id=p1&identifer=urn:x|other", "A search parameter is unknown for this resource type."),
        ("_count=1", "The criteria select nothing in particular."),
        ("%5Fsummary=count&_format=json", "The criteria select nothing in particular."),
        ("name=", "A search parameter has no value."),
    ],
)
async def test_a_conditional_reference_to_another_service_is_read_strictly(
    three: Town, spans: bool, prefer: str, criteria: str, text: str
) -> None:
    """As within one service: what is left of criteria with a typo would find another."""
    await three.client.put("/fhir/Patient/p1", json=patient(id="p1"))
    orders = ordered_for(f"Patient?{criteria}")
    entries = [entry("POST", "Practitioner", numbered("Practitioner", "8")), entry("POST", "ServiceRequest", orders)]
    if spans:
        entries.append(entry("POST", "Patient", numbered("Patient", "9")))
    answer = await three.client.post("/fhir", json=bundle("transaction", *entries), headers={"Prefer": prefer})
    assert answer.status_code == 400, answer.text
    (issue,) = answer.json()["issue"]
    assert (issue["diagnostics"], issue["expression"]) == (text, ["Bundle.entry[1].resource"])
    assert await three.stored() == NOTHING | {"careplans": 1}


async def test_parameters_that_select_nothing_do_not_hide_what_a_conditional_reference_finds(three: Town) -> None:
    await three.client.put("/fhir/Patient/p1", json=numbered("Patient", "7", id="p1"))
    orders = ordered_for(f"Patient?identifier={NPI}|7&_summary=count")
    answer = await three.post(bundle("transaction", entry("POST", "ServiceRequest", orders)))
    assert answer.status_code == 200, answer.text
    (stored,) = await there(three, "ServiceRequest")
    assert stored["subject"] == {"reference": "Patient/p1"}
