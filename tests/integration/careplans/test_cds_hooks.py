"""``/cds-services``: CDS Hooks 2.0 over HTTP."""

from typing import Any

import httpx
import pytest

from services.careplans.api.hook_examples import CALLS
from services.careplans.domain.safety.issues import State
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.security.caller import Caller, Discipline, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, store
from tests.integration.careplans.test_safety_findings import issues, looked, ordered, risky, states
from tests.integration.careplans.test_scores_over_fhir import logged
from tests.unit.services.careplans.domain.safety.cases.rows import NALOXONE
from tests.unit.services.careplans.domain.safety.prescriptions import BID, QID

CDS = "http://test/cds-services"
VIEW = f"{CDS}/consilium-safety-patient-view"


def viewed(patient: str, **more: Any) -> dict[str, Any]:
    """A patient-view without prefetch."""
    context = {"userId": "Practitioner/d", "patientId": patient.removeprefix("Patient/")}
    return {"hook": "patient-view", "hookInstance": "1", "context": context} | more


async def cards(client: httpx.AsyncClient, patient: str) -> list[dict[str, Any]]:
    answer = await client.post(VIEW, json=viewed(patient))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: list[dict[str, Any]] = answer.json()["cards"]
    return found


async def test_discovery(client: httpx.AsyncClient) -> None:
    answer = await client.get(CDS)
    assert answer.status_code == 200
    assert len(answer.json()["services"]) == 3


@pytest.mark.parametrize("hook", CALLS)
async def test_every_example_is_answered(client: httpx.AsyncClient, hook: str) -> None:
    answer = await client.post(f"{CDS}/consilium-safety-{hook}", json=CALLS[hook]["value"])
    assert answer.status_code == 200, answer.text
    assert None not in [value for card in answer.json()["cards"] for value in card.values()]


async def test_the_shared_record_answers_without_prefetch_in_few_statements(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient, _, _ = await risky(engine)
    (card,) = await cards(client, patient)
    assert (card["summary"], card["indicator"]) == ("Opioid together with a benzodiazepine", "critical")
    async with logged(engine) as statements:
        await cards(client, patient)
    assert len(statements) <= 3, statements
    assert await issues(engine) == {}


async def test_an_override_is_kept_as_an_acknowledgement_and_silences_the_card(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, _, _ = await risky(engine)
    await looked(engine)
    (card,) = await cards(client, patient)
    verifier.caller = Caller("d", Role.CLINICIAN, Discipline.PAIN_MEDICINE, fhir_user="Practitioner/d")
    reason = card["overrideReasons"][0]
    told = {
        "card": card["uuid"],
        "outcome": "overridden",
        "overrideReason": {"reason": reason, "userComment": "Two days."},
        "outcomeTimestamp": "2026-11-28T12:00:00Z",
    }
    for expected in (1, 1):
        answer = await client.post(f"{VIEW}/feedback", json={"feedback": [told, told]})
        assert (answer.status_code, answer.json()) == (200, {"acknowledged": expected})
    assert await states(engine) == {"opioid-benzodiazepine": State.ACKNOWLEDGED}
    mitigation = (await issues(engine))["opioid-benzodiazepine"]["mitigation"][0]
    assert mitigation["author"] == {"reference": "Practitioner/d"}
    assert mitigation["action"]["text"].endswith(f"{reason['display']}. Two days.")
    assert await cards(client, patient) == []


async def test_feedback_about_what_is_not_here_is_taken(client: httpx.AsyncClient) -> None:
    told = {"feedback": [{"card": "nobody-knows-it", "outcome": "overridden"}]}
    answer = await client.post(f"{VIEW}/feedback", json=told)
    assert (answer.status_code, answer.json()) == (200, {"acknowledged": 0})


@pytest.mark.parametrize(
    ("url", "content", "status"),
    [
        (VIEW, b"", 400),
        (VIEW, b"{", 400),
        (VIEW, b"[]", 400),
        (VIEW, b'{"hook":"patient-view"}', 400),
        (VIEW, b'{"hook":"patient-view","hookInstance":"1","context":{"userId":"a","patientId":"nobody"}}', 412),
        (f"{CDS}/another", b"{}", 404),
        (f"{VIEW}/feedback", b"{}", 400),
        (f"{VIEW}/feedback", b'{"feedback":[]}', 400),
        (f"{CDS}?x=1", None, 422),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    client: httpx.AsyncClient, url: str, content: bytes | None, status: int
) -> None:
    answer = await (client.get(url) if content is None else client.post(url, content=content))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_patients_are_told_nothing(engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier) -> None:
    patient, _, _ = await risky(engine)
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await client.post(VIEW, json=viewed(patient))).status_code == 403


async def test_nobody_is_called_on_a_clients_word(engine: Engine, client: httpx.AsyncClient) -> None:
    """A server that is named is not asked: the answer is the same, and nothing waits for it."""
    patient, _, _ = await risky(engine)
    named = {"fhirServer": "http://192.0.2.1/fhir", "fhirAuthorization": {"access_token": "x", "token_type": "Bearer"}}
    answer = await client.post(VIEW, json=viewed(patient, **named))
    assert answer.json()["cards"] == await cards(client, patient)


async def test_an_override_without_a_reason_is_no_acknowledgement(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _, _ = await risky(engine)
    await looked(engine)
    (card,) = await cards(client, patient)
    told = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-28T12:00:00Z"}
    answer = await client.post(f"{VIEW}/feedback", json={"feedback": [told]})
    assert (answer.status_code, answer.json()) == (200, {"acknowledged": 0})
    assert await cards(client, patient) == [card]


def signed(patient: str, *drafts: Resource, **more: Any) -> dict[str, Any]:
    """An order-sign of ``drafts``, or an order-select with ``selections``."""
    entries = [{"resource": draft | {"id": f"d{number}"}} for number, draft in enumerate(drafts)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    context = {"userId": "Practitioner/d", "patientId": patient.removeprefix("Patient/"), "draftOrders": bundle}
    hook = "order-select" if more else "order-sign"
    return {"hook": hook, "hookInstance": "1", "context": context | more}


async def test_more_of_what_was_acknowledged_is_news_to_whoever_signs_it(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient = await new_patient(engine)
    for text, repeat in (("oxycodone 15 mg tablet", QID), (NALOXONE, None)):
        await store(engine, ordered(patient, text, repeat))
    await looked(engine)
    told = [
        {"card": each["uuid"], "outcome": "overridden", "overrideReason": {"userComment": "Known."}}
        for each in await cards(client, patient)
    ]
    assert (await client.post(f"{VIEW}/feedback", json={"feedback": told})).json() == {"acknowledged": len(told)}
    assert await cards(client, patient) == []
    draft = ordered(patient, "oxycodone 15 mg tablet", BID) | {"status": "draft"}
    answer = await client.post(f"{CDS}/consilium-safety-order-sign", json=signed(patient, draft))
    assert answer.status_code == 200, answer.text
    assert "opioid-dose-90" in [each["source"]["topic"]["code"] for each in answer.json()["cards"]]


async def test_a_selection_of_nothing_is_a_problem(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _, _ = await risky(engine)
    draft = ordered(patient, "oxycodone 15 mg tablet", QID) | {"status": "draft"}
    for selections, status in (
        (["MedicationRequest/d0"], 200),
        ([], 200),
        (["d0"], 400),
        (["MedicationRequest/d1"], 400),
    ):
        body = signed(patient, draft, selections=selections)
        assert (await client.post(f"{CDS}/consilium-safety-order-select", json=body)).status_code == status
