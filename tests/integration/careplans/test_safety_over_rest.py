"""``/api/plans/{id}/safety``: findings, what silences them, missing data, and morphine equivalents."""

from typing import Any

import httpx
import pytest

from shared.engine import Engine
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.factories.resources import care_plan
from tests.integration.careplans.hearing import new_patient, store
from tests.integration.careplans.test_safety_findings import PLANS, issues, ordered, risky
from tests.integration.careplans.test_scores_over_fhir import logged
from tests.unit.services.careplans.domain.safety.cases.rows import IBUPROFEN, OXY10, condition, egfr
from tests.unit.services.careplans.domain.safety.prescriptions import QID


async def safety(client: httpx.AsyncClient, plan: str) -> dict[str, Any]:
    answer = await client.get(f"{PLANS}/{plan.removeprefix('CarePlan/')}/safety")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_it_tells_findings_with_sources_and_what_the_sum_counts(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient = await new_patient(engine)
    plan = await store(engine, care_plan(patient))
    opioid = await store(engine, ordered(patient, OXY10, QID))
    tramadol = await store(engine, ordered(patient, "tramadol 50 mg tablet", None))
    await store(engine, ordered(patient, IBUPROFEN))
    result = egfr(45, day="2026-01-01") | {"subject": {"reference": patient}}
    del result["id"]
    await store(engine, result)
    await store(engine, ordered(await new_patient(engine), OXY10, QID))
    told = await safety(client, plan)
    found = {each["rule"]: each for each in told["findings"]}
    assert found.keys() >= {"opioid-dose-50", "naloxone-offer", "nsaid-kidney"}
    dose = found["opioid-dose-50"]
    assert (dose["outcome"], dose["severity"], dose["state"]) == ("found", "moderate", "open")
    assert dose["detail"] == "at least 60 MME/day."
    assert "CDC" in dose["source"]
    assert any(opioid in each["resources"] for each in dose["inputs"])
    assert dose["missing"] == [f"{tramadol} MedicationRequest.dosageInstruction: no dosage is given"]
    mme = told["mme"]
    assert (mme["text"], mme["low"], mme["high"]) == ("at least 60 MME/day", 60.0, None)
    assert mme["counted"] == [
        {"sources": [opioid], "low": 60.0, "high": 60.0},
        {"sources": [tramadol], "low": None, "high": None},
    ]
    assert {each["rule"] for each in told["unknown"]} >= {"opioid-dose-90"}
    assert await issues(engine) == {}


async def test_it_takes_five_statements_however_much_there_is(engine: Engine, client: httpx.AsyncClient) -> None:
    patient = await new_patient(engine)
    plan = await store(engine, care_plan(patient))
    medicine = {"resourceType": "Medication", "code": {"text": OXY10}}
    for _ in range(5):
        by_reference = ordered(patient, OXY10, QID)
        del by_reference["medicationCodeableConcept"]
        reference = await store(engine, medicine)
        await store(engine, by_reference | {"medicationReference": {"reference": reference}})
    await safety(client, plan)
    async with logged(engine) as statements:
        told = await safety(client, plan)
    assert len(statements) <= 5, statements
    assert told["mme"]["text"] == "60 to 300 MME/day"


async def test_what_is_silenced_says_why(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, plan, _ = await risky(engine)
    palliative = condition("Z51.5") | {"subject": {"reference": patient}}
    del palliative["id"]
    reference = await store(engine, palliative)
    told = await safety(client, plan)
    assert told["findings"] == []
    (silent,) = [each for each in told["silenced"] if each["finding"]["rule"] == "opioid-benzodiazepine"]
    assert silent["why"].startswith("palliative care")
    assert silent["resources"] == [reference]


async def test_what_was_just_seen_can_be_answered_before_a_worker_came(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    _, plan, _ = await risky(engine)
    (finding,) = (await safety(client, plan))["findings"]
    path = f"{PLANS}/{plan}/safety/{finding['issue']}"
    answer = await client.post(f"{path}/acknowledge", json={"reason": "Both are needed."})
    assert answer.status_code == 200, answer.text
    assert (await safety(client, plan))["findings"][0]["state"] == "acknowledged"


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ({"reason": " "}, 422), ({"reason": "x" * 1001}, 422), ({"reason": "x", "more": 1}, 422)],
)
async def test_an_answer_without_a_reason_is_refused(
    engine: Engine, client: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    _, plan, _ = await risky(engine)
    (finding,) = (await safety(client, plan))["findings"]
    answer = await client.post(f"{PLANS}/{plan}/safety/{finding['issue']}/resolve", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_finding_of_somebody_else_is_not_there(engine: Engine, client: httpx.AsyncClient) -> None:
    _, plan, _ = await risky(engine)
    _, other, _ = await risky(engine)
    (finding,) = (await safety(client, other))["findings"]
    answer = await client.post(f"{PLANS}/{plan}/safety/{finding['issue']}/resolve", json={"reason": "x"})
    assert answer.status_code == 404


async def test_patients_see_their_own_and_answer_nothing(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, plan, _ = await risky(engine)
    (finding,) = (await safety(client, plan))["findings"]
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await safety(client, plan))["findings"]
    path = f"{PLANS}/{plan}/safety/{finding['issue']}/acknowledge"
    assert (await client.post(path, json={"reason": "x"})).status_code == 403
    verifier.caller = Caller("q", Role.PATIENT, fhir_user="Patient/somebody-else")
    assert (await client.get(f"{PLANS}/{plan}/safety")).status_code == 404
    assert (await client.get(f"{PLANS}/nobody/safety")).status_code == 404
