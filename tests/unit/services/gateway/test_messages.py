"""A referral message becomes a transaction (http://hl7.org/fhir/R4/messaging.html)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.gateway.messages import response_to, transaction_of
from shared.errors import Invalid

BASE = "http://ehr.example.org/fhir"
EVENT = {"system": "http://terminology.hl7.org/CodeSystem/v2-0003", "code": "I12"}


def message(*more: dict[str, Any], **header: Any) -> dict[str, Any]:
    told = {
        "resourceType": "MessageHeader",
        "id": "h",
        "eventCoding": EVENT,
        "source": {"endpoint": BASE},
        "focus": [{"reference": "Task/t"}],
    } | header
    resources = [told, *more]
    entries = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one.get('id')}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "message", "entry": entries}


PATIENT = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:oid:1.2.3", "value": "a|b"}]}
TASK = {
    "resourceType": "Task",
    "id": "t",
    "status": "requested",
    "for": {"reference": "Patient/p"},
    "owner": {"reference": "PractitionerRole/elsewhere"},
    "focus": {"reference": f"{BASE}/ServiceRequest/s"},
}
ORDER = {"resourceType": "ServiceRequest", "id": "s", "status": "active", "subject": {"reference": "Patient/p"}}


def _by_type(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["resource"]["resourceType"]: one for one in made["entry"]}


def test_each_resource_is_a_write_and_references_follow() -> None:
    made = _by_type(transaction_of(message(PATIENT, ORDER, TASK)))
    order, task, patient = made["ServiceRequest"], made["Task"], made["Patient"]
    assert patient["request"] == {
        "method": "POST",
        "url": "Patient",
        "ifNoneExist": "identifier=urn%3Aoid%3A1.2.3%7Ca%7Cb",
    }
    assert task["request"]["url"] == f"Task/{task['resource']['id']}"
    assert task["resource"]["focus"]["reference"] == order["fullUrl"]
    assert task["resource"]["for"]["reference"] == patient["fullUrl"]
    assert made["MessageHeader"]["resource"]["focus"] == [{"reference": task["fullUrl"]}]
    assert made["MessageHeader"]["request"]["ifNoneMatch"] == "*"


def test_the_next_message_about_a_resource_is_its_next_version() -> None:
    tasks = (TASK | {"status": status} for status in ("requested", "accepted"))
    first, second = (_by_type(transaction_of(message(task))) for task in tasks)
    assert first["Task"]["request"] == second["Task"]["request"]
    other = message(TASK)
    other["entry"][1]["fullUrl"] = "http://another.example.org/fhir/Task/t"
    assert _by_type(transaction_of(other))["Task"]["request"] != first["Task"]["request"]


def test_what_leads_out_of_the_message_is_the_senders() -> None:
    task = _by_type(transaction_of(message(TASK)))["Task"]["resource"]
    assert task["owner"]["reference"] == f"{BASE}/PractitionerRole/elsewhere"
    assert task["for"]["reference"] == f"{BASE}/Patient/p"
    assert task["focus"]["reference"] == f"{BASE}/ServiceRequest/s"


@pytest.mark.parametrize(
    ("broken", "where"),
    [
        ({"entry": []}, "Bundle.entry"),
        ({"entry": {}}, "Bundle.entry"),
        ({"entry": [1]}, "Bundle.entry[0].resource"),
        ({"entry": [{"resource": TASK}]}, "Bundle.entry[0].resource"),
        (message(eventCoding=None), "Bundle.entry[0].resource.event"),
        (message(eventCoding=EVENT | {"code": "A01"}), "Bundle.entry[0].resource.event"),
        (message(source=[]), "Bundle.entry[0].resource.source.endpoint"),
        (message(TASK, TASK), "Bundle.entry"),
        (message(id=5), "Bundle.entry[0].resource.id"),
        (message(id="a b"), "Bundle.entry[0].resource.id"),
        (message(TASK | {"id": ["t"]}), "Bundle.entry[1].resource.id"),
        (message(TASK) | {"id": {}}, "Bundle.id"),
        (message(TASK) | {"entry": [*message()["entry"], {"resource": {"no": "type"}}]}, "Bundle.entry[1].resource"),
    ],
)
def test_what_is_no_message_is_refused(broken: dict[str, Any], where: str) -> None:
    with pytest.raises(Invalid) as refused:
        transaction_of(broken)
    assert refused.value.issues[0].expression == (where,)


def test_the_response_names_what_it_answers() -> None:
    told = response_to(message(TASK), own="http://here/fhir", at=datetime(2026, 11, 27, tzinfo=UTC))
    header = told["entry"][0]["resource"]
    assert header["response"] == {"identifier": "h", "code": "ok"}
    assert header["destination"] == [{"endpoint": BASE}]
