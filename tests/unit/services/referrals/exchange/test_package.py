"""What goes out: enough to do the work, as little of the patient as will do; and references that hold over there."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.referrals.domain.exchange_package import (
    Source,
    Terms,
    order_to_send,
    order_with_news,
    task_to_send,
    task_with_news,
)
from services.referrals.domain.exchange_references import translated
from services.referrals.domain.transitions import State
from shared.fhir.validate import check
from tests.factories.referrals import order, reference, task

TERMS = Terms("https://we.example/fhir", "https://they.example/fhir")
MPI = {"system": "urn:oid:1.2.3", "value": "p-17"}
PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "urn:local", "value": "9"}, MPI | {"use": "official"}],
    "name": [{"family": "Doe"}],
    "birthDate": "1970-01-01",
    "telecom": [{"system": "phone", "value": "555"}],
    "address": [{"city": "Springfield"}],
}
NPI = {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1234567893"}
OWNER = {"resourceType": "Organization", "id": "mind-centre", "identifier": [NPI], "name": "Mind Centre"}
Resource = dict[str, Any]


def source(*known: Resource, ordered: Resource | None = None, **asked: Any) -> Source:
    related = {f"{each['resourceType']}/{each['id']}": each for each in known}
    return Source(task("requested", statusReason=None, **asked), ordered or order(), related)


def sent(given: Source, terms: Terms = TERMS) -> Resource:
    return task_to_send(given, "ServiceRequest/x", State("requested"), terms)


def test_the_patient_is_an_identifier_and_nothing_else() -> None:
    given = source(PATIENT)
    asked, placed = sent(given), order_to_send(given, TERMS)
    assert placed is not None
    assert asked["for"] == placed["subject"] == {"type": "Patient", "identifier": MPI}
    assert not any(text in repr((asked, placed)) for text in ("Doe", "555", "1970", "Springfield"))


@pytest.mark.parametrize("without", [False, True])
def test_a_patient_goes_along_where_that_is_agreed_or_there_is_no_identifier(without: bool) -> None:
    known = {key: value for key, value in PATIENT.items() if key != "identifier"} if without else PATIENT
    asked = sent(source(known), TERMS if without else Terms(TERMS.base, TERMS.partner, contains_patient=True))
    assert asked["for"] == reference("#patient")
    (patient,) = asked["contained"]
    assert patient["name"] == PATIENT["name"]
    assert not {"telecom", "address"} & patient.keys()


def test_a_patient_of_whom_nothing_is_known_here_is_named_by_our_own_identifier() -> None:
    assert sent(source())["for"]["identifier"].items() >= {
        ("system", "https://we.example/fhir/Patient"),
        ("value", "p1"),
    }


def test_who_asks_and_who_is_asked_are_named_as_the_other_side_knows_them() -> None:
    known_as = Terms(TERMS.base, TERMS.partner, "Organization/us", "Organization/them")
    asked = sent(source(OWNER), known_as)
    assert (asked["requester"], asked["owner"]) == (reference("Organization/us"), reference("Organization/them"))
    assert sent(source(OWNER))["owner"] == {"type": "Organization", "identifier": NPI}


def test_what_the_other_side_has_no_business_with_stays_here() -> None:
    asked = sent(
        source(
            output=[{"type": {"text": "x"}, "valueReference": reference("Observation/1")}],
            note=[{"text": "For us alone."}],
            encounter=reference("Encounter/1"),
            input=[{"type": {"text": "x"}, "valueString": "y"}],
            meta={"profile": ["http://hl7.org/fhir/us/bser/StructureDefinition/referral-task"], "tag": [{"code": "x"}]},
        )
    )
    assert not {"output", "note", "encounter", "input", "id"} & asked.keys()
    assert asked["meta"] == {"profile": ["http://hl7.org/fhir/us/bser/StructureDefinition/referral-task"]}


def test_what_is_sent_is_valid() -> None:
    given = source(PATIENT, OWNER, priority="urgent", description="Back pain")
    placed = order_to_send(given, TERMS)
    assert placed is not None
    check(placed)
    check(sent(given))


def test_the_initiators_part_is_written_into_the_task_there_and_nothing_else() -> None:
    there = sent(source()) | {"id": "x", "status": "accepted", "output": [{"a": 1}], "owner": reference("Device/1")}
    given = source(priority="stat", description="Worse", owner=reference("Organization/other"))
    changed = task_with_news(there, given, TERMS, None)
    assert changed == there | {"priority": "stat", "description": "Worse"}
    assert task_with_news(changed, given, TERMS, None) == changed
    reasoned = Source(given.task | {"statusReason": {"text": "No."}}, given.order, given.related)
    taken_back = task_with_news(there, reasoned, TERMS, State("cancelled"))
    assert (taken_back["status"], taken_back["statusReason"]) == ("cancelled", {"text": "No."})


def test_the_orders_content_is_written_into_the_order_there_and_its_status_is_not() -> None:
    given = source(ordered=order(status="completed", priority="asap"))
    there = {"resourceType": "ServiceRequest", "id": "x", "status": "active", "supportingInfo": [], "priority": "stat"}
    changed = order_with_news(there, given, TERMS)
    assert (changed["status"], changed["priority"], changed["supportingInfo"]) == ("active", "asap", [])


REFERENCES = st.sampled_from(
    ["Patient/1", "https://we.example/fhir/Patient/1", "https://they.example/fhir/Patient/1", "urn:uuid:1", "#a"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=3), st.fixed_dictionaries({"reference": REFERENCES})),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)


@given(VALUES)
def test_references_come_back_as_they_went(value: Any) -> None:
    we, they = TERMS.base, TERMS.partner
    assert translated(translated(value, we, they), they, we) == _relative(value, we)


def _relative(value: Any, base: str) -> Any:
    """``value`` with what is below ``base`` written relative to it."""
    if isinstance(value, list):
        return [_relative(each, base) for each in value]
    if isinstance(value, dict):
        return {key: _relative(each, base) for key, each in value.items()}
    return value.removeprefix(f"{base}/") if isinstance(value, str) else value
