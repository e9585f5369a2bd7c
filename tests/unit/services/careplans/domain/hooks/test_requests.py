"""What an EHR sends is read, or refused with the path of what is wrong."""

from typing import Any

import pytest

from services.careplans.api.hook_examples import CALLS, FEEDBACK
from services.careplans.domain.hooks.cards import ADVISORY, LONGEST_SUMMARY, cards
from services.careplans.domain.hooks.feedback import overridden
from services.careplans.domain.hooks.judging import joined
from services.careplans.domain.hooks.request import read
from services.careplans.domain.hooks.services import PREFETCH, SERVICES, discovery, service_of
from services.careplans.domain.safety.evaluate import evaluate
from shared.errors import Invalid, NotFound, PreconditionFailed
from tests.unit.services.careplans.domain.safety.cases.rows import OXY10, condition, patient
from tests.unit.services.careplans.domain.safety.prescriptions import QID, TODAY, Body, prescribed, record

BY_HOOK = {each.hook: each for each in SERVICES}


def body(hook: str, **more: Any) -> Body:
    value: Body = CALLS[hook]["value"]
    return value | more


def of(hook: str, sent: Body, shared: Any = None) -> list[Body]:
    """The cards."""
    call = read(BY_HOOK[hook], sent)
    judged = joined(call, shared or {})
    return cards(call, judged, evaluate(judged.record, TODAY))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.hook)
def test_every_example_gets_a_card_with_source_and_reasons(service: Any) -> None:
    found = of(service.hook, body(service.hook))
    assert all(len(each["summary"]) <= LONGEST_SUMMARY for each in found)
    assert all(each["source"]["label"] and each["uuid"] and ADVISORY in each["detail"] for each in found)
    assert all(reason["display"] for each in found for reason in each["overrideReasons"])
    summaries = [each["summary"] for each in found]
    assert ("Opioid together with a benzodiazepine" in summaries) is service.orders


def test_discovery_names_hooks_and_templates() -> None:
    services = discovery()["services"]
    assert {each["hook"] for each in services} == {"patient-view", "order-select", "order-sign"}
    assert all(set(each["prefetch"]) == set(PREFETCH) for each in services)
    with pytest.raises(NotFound):
        service_of("another")


WRONG: list[tuple[str, Body, str]] = [
    ("patient-view", {"hook": "order-sign"}, "hook"),
    ("patient-view", {"hookInstance": None}, "hookInstance"),
    ("patient-view", {"context": None}, "context"),
    ("patient-view", {"context": {"userId": "Practitioner/1"}}, "context.patientId"),
    ("patient-view", {"context": {"userId": "Practitioner/1", "patientId": "a/b"}}, "context.patientId"),
    ("patient-view", {"context": {"patientId": "p1"}}, "context.userId"),
    ("patient-view", {"prefetch": []}, "prefetch"),
    ("patient-view", {"prefetch": {"patient": "x"}}, "prefetch.patient"),
    ("patient-view", {"prefetch": {"patient": {"resourceType": "Group", "id": "p1"}}}, "prefetch.patient"),
    ("patient-view", {"prefetch": {"patient": {"resourceType": "Patient", "id": "p2"}}}, "prefetch.patient"),
    (
        "patient-view",
        {"prefetch": {"conditions": condition("J44.9") | {"subject": {"reference": "Patient/p2"}}}},
        "prefetch.conditions",
    ),
    ("order-sign", {"context": {"userId": "Practitioner/1", "patientId": "p1"}}, "context.draftOrders"),
    (
        "order-select",
        {"context": CALLS["order-sign"]["value"]["context"]},
        "context.selections",
    ),
]


@pytest.mark.parametrize(("hook", "change", "path"), WRONG)
def test_what_is_wrong_is_refused_with_its_path(hook: str, change: Body, path: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(BY_HOOK[hook], body(hook) | change)
    assert refused.value.issues[0].expression == (path,)


@pytest.mark.parametrize("odd", [None, 5, "x", [], [[]], True])
def test_a_body_that_is_no_object_is_refused(odd: Any) -> None:
    with pytest.raises(Invalid):
        read(SERVICES[0], odd)
    with pytest.raises(Invalid):
        overridden(odd)
    with pytest.raises(Invalid):
        overridden({"feedback": [odd]})


def test_what_the_ehr_could_not_fetch_is_missing_and_not_empty() -> None:
    failed = {"resourceType": "OperationOutcome", "issue": []}
    prefetch = body("patient-view")["prefetch"]
    with pytest.raises(PreconditionFailed):
        of("patient-view", body("patient-view", prefetch=prefetch | {"medicationRequests": failed}))
    with pytest.raises(PreconditionFailed):
        of("patient-view", body("patient-view", prefetch=prefetch | {"patient": None}))
    assert of("patient-view", body("patient-view", prefetch=prefetch | {"medicationRequests": None})) == []


def test_a_searchset_with_pages_to_come_is_told_as_not_whole() -> None:
    prefetch = body("order-sign")["prefetch"]
    more = prefetch["medicationRequests"] | {"link": [{"relation": "next", "url": "https://ehr.example/x"}]}
    found = of("order-sign", body("order-sign", prefetch=prefetch | {"medicationRequests": more}))
    assert "medicationRequests: not given by the EHR, or not whole" in found[0]["detail"]


def test_the_shared_record_counts_where_an_identifier_is_the_same() -> None:
    theirs = body("patient-view")["prefetch"]["patient"]
    shared = record(
        patient() | {"id": "p1", "identifier": theirs["identifier"]}, prescribed("lorazepam 1 mg tablet", id="ours")
    )
    stranger = shared | {"Patient": [patient() | {"id": "p1"}]}
    assert "Opioid together with a benzodiazepine" in [
        each["summary"] for each in of("patient-view", body("patient-view"), shared)
    ]
    assert of("patient-view", body("patient-view"), stranger) == of("patient-view", body("patient-view"))


def test_the_shared_record_alone_is_enough() -> None:
    shared = record(patient() | {"id": "p1"}, prescribed(OXY10, QID))
    found = of("patient-view", body("patient-view", prefetch=None), shared)
    assert "Opioid dose of 50 MME a day or more" in [each["summary"] for each in found]
    with pytest.raises(PreconditionFailed):
        of("patient-view", body("patient-view", prefetch=None))


def test_an_order_gets_cards_about_itself_only() -> None:
    prefetch = body("order-sign")["prefetch"]
    high = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": prescribed(OXY10, QID, id="m1")}],
    }
    orders = {
        "resourceType": "Bundle",
        "entry": [{"resource": prescribed("ibuprofen 600 mg tablet", id="d", status="draft", intent="proposal")}],
    }
    context = body("order-sign")["context"] | {"draftOrders": orders}
    sent = body("order-sign", prefetch=prefetch | {"medicationRequests": high}, context=context)
    assert {each["summary"] for each in of("order-sign", sent)} == {
        "Cannot be judged: NSAID with kidney disease or an eGFR below 60"
    }


def test_an_order_without_a_dose_cannot_be_judged_and_says_so() -> None:
    orders = {"resourceType": "Bundle", "entry": [{"resource": prescribed(OXY10, None, id="d", status="draft")}]}
    sent = body("order-sign", context=body("order-sign")["context"] | {"draftOrders": orders})
    found = {each["summary"]: each for each in of("order-sign", sent)}
    card = found["Cannot be judged: Opioid dose of 50 MME a day or more"]
    assert card["indicator"] == "info"
    assert "no dosage is given" in card["detail"]


@pytest.mark.parametrize(
    ("status", "judged"), [("draft", True), (None, True), ("stopped", False), ("cancelled", False)]
)
def test_an_order_that_is_no_draft_is_not_taken_for_one(status: str | None, judged: bool) -> None:
    order = prescribed("lorazepam 1 mg tablet", id="d", status=status, intent="proposal")
    orders = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    sent = body("order-sign", context=body("order-sign")["context"] | {"draftOrders": orders})
    assert bool(of("order-sign", sent)) is judged


def test_naloxone_is_suggested_as_a_draft() -> None:
    shared = record(patient() | {"id": "p1"}, prescribed(OXY10, QID))
    (card,) = [
        each
        for each in of("patient-view", body("patient-view", prefetch=None), shared)
        if each["summary"] == "Offer naloxone"
    ]
    assert card["selectionBehavior"] == "at-most-one"
    (suggestion,) = card["suggestions"]
    order = suggestion["actions"][0]["resource"]
    assert (suggestion["actions"][0]["type"], order["status"]) == ("create", "draft")
    assert order["subject"] == {"reference": "Patient/p1"}


def test_under_an_exclusion_one_card_says_why() -> None:
    shared = record(patient() | {"id": "p1"}, prescribed(OXY10, QID), condition("Z51.5"))
    (card,) = of("patient-view", body("patient-view", prefetch=None), shared)
    assert card["indicator"] == "info"
    assert card["detail"].startswith("palliative care: ")


def test_text_of_a_record_is_no_markup() -> None:
    text = "oxycodone 10 mg tablet [x](https://evil.example) <b>"
    shared = record(patient() | {"id": "p1"}, prescribed(text, QID))
    details = " ".join(each["detail"] for each in of("patient-view", body("patient-view", prefetch=None), shared))
    assert "[x](" not in details
    assert "<b>" not in details.replace("\\<b", "")


def test_an_override_has_its_reason_and_comment() -> None:
    (found,) = overridden(FEEDBACK["overridden"]["value"])
    assert found.reason == (
        "Overridden in the EHR: Benefit outweighs the risk for this patient. For two days, before the operation."
    )
    accepted = {"card": "a", "outcome": "accepted", "acceptedSuggestions": [{"id": "b"}]}
    assert overridden({"feedback": [accepted]}) == []
    assert overridden({"feedback": [{"card": "a", "outcome": "overridden"}]}) == [], "no reason, no acknowledgement"
