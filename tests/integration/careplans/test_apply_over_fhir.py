"""``PlanDefinition/$apply`` and ``ActivityDefinition/$apply`` on a stored record."""

import httpx
import pytest

from services.careplans.domain.applying.extensions import CONSIDERED
from services.careplans.domain.codes import extension_value
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.fhir.validate import check
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import new_patient, store
from tests.integration.careplans.proposing import COORDINATOR, JSON, in_pain, parameters, patient_with
from tests.unit.services.careplans.domain.applying.patients import PLANS, condition


def outcomes(plan: Resource) -> dict[str, tuple[str, str]]:
    """Action -> outcome and reason, of a draft CarePlan."""
    group = plan["contained"][0]
    accounts = [each for each in group["extension"] if each["url"] == CONSIDERED]
    return {
        extension_value(each, "action"): (extension_value(each, "outcome"), extension_value(each, "reason"))
        for each in accounts
    }


@pytest.mark.parametrize("plan", PLANS)
async def test_every_plan_of_the_catalogue_gives_a_draft_with_a_reason_for_each_action(
    engine: Engine, client: httpx.AsyncClient, plan: str
) -> None:
    patient, _ = await patient_with(engine, *in_pain())
    before = (await client.get("CarePlan?_summary=count")).json()["total"]
    answer = await client.get(f"PlanDefinition/{plan}/$apply", params={"subject": patient})
    assert answer.status_code == 200, answer.text
    draft = answer.json()
    check(draft)
    assert (draft["status"], draft["intent"], draft["subject"]["reference"]) == ("draft", "proposal", patient)
    assert all(reason for _, reason in outcomes(draft).values())
    assert (await client.get("CarePlan?_summary=count")).json()["total"] == before, "nothing is stored"


async def test_what_is_told_goes_before_what_is_recorded(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _ = await patient_with(engine, *in_pain())
    preference: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "extension": [
            {"url": "https://consilium.care/fhir/StructureDefinition/treatment-preference", "valueCode": "declined"}
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "75773-2"}]},
        "subject": {"reference": patient},
        "effectiveDateTime": "2026-10-01",
        "valueCodeableConcept": {
            "coding": [{"system": "https://consilium.care/fhir/CodeSystem/treatment", "code": "cbt-individual"}]
        },
        "note": [{"text": "Talking has not helped me"}],
    }
    await store(engine, preference)
    recorded = (await client.get("PlanDefinition/stepped-care/$apply", params={"subject": patient})).json()
    declined = [reason for outcome, reason in outcomes(recorded).values() if outcome == "declined"]
    assert declined
    assert all("Talking has not helped me" in reason for reason in declined)
    body = parameters(
        ("subject", patient), ("preferred", "cbt-individual"), ("declined", [("treatment", "act"), ("reason", "No.")])
    )
    told = (await client.post("PlanDefinition/stepped-care/$apply", content=body, headers=JSON)).json()
    reasons = [reason for outcome, reason in outcomes(told).values() if outcome == "declined"]
    assert reasons == ["Indicated, and declined by the patient: No."]
    assert any("The patient would like it." in reason for _, reason in outcomes(told).values())


async def test_waits_lead_to_what_bridges_them(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _ = await patient_with(engine, *in_pain())
    body = parameters(("subject", patient), ("groups", True), ("wait", [("discipline", "mental-health"), ("days", 60)]))
    draft = (await client.post("PlanDefinition/bridging/$apply", content=body, headers=JSON)).json()
    assert outcomes(draft)["bridge-cbt-group"][0] == "proposed"
    assert outcomes(draft)["wait-physical-therapy"][0] == "unknown"


async def test_an_activity_is_a_draft_request(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _ = await patient_with(engine, *in_pain())
    answer = await client.get("ActivityDefinition/cbt-individual/$apply", params={"subject": patient})
    request = answer.json()
    check(request)
    assert (request["resourceType"], request["status"], request["intent"]) == ("ServiceRequest", "draft", "proposal")
    assert request["instantiatesCanonical"][0].startswith(
        "https://consilium.care/fhir/ActivityDefinition/cbt-individual|"
    )


async def test_what_is_contraindicated_is_no_request(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, _ = await patient_with(engine, condition("I25.10"), condition("N18.5"), condition("K25.4"))
    answer = await client.get("ActivityDefinition/nsaid/$apply", params={"subject": patient})
    told = answer.json()
    check(told)
    assert (answer.status_code, told["resourceType"], "action" in told) == (200, "RequestGroup", False)
    (account,) = (each for each in told["extension"] if each["url"] == CONSIDERED)
    assert extension_value(account, "outcome") == "contraindicated"
    assert extension_value(account, "reason").startswith("Contraindicated: Kidney disease")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 422),
        ("subject=Patient/nobody", 422),
        ("subject=Group/1", 422),
        ("subject=https://elsewhere.example/Patient/1", 422),
        ("subject=Patient/1&subject=Patient/2", 422),
        ("subject=Patient/1&unheard=of", 422),
        ("subject=Patient/1&telehealth=perhaps", 400),
    ],
)
async def test_bad_parameters_are_told(engine: Engine, client: httpx.AsyncClient, query: str, status: int) -> None:
    await patient_with(engine)
    answer = await client.get(f"PlanDefinition/stepped-care/$apply?{query}")
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_patients_and_unknown_definitions_are_refused(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, _ = await patient_with(engine)
    assert (await client.get("PlanDefinition/unheard/$apply", params={"subject": patient})).status_code == 404
    verifier.caller = Caller("me", Role.PATIENT, fhir_user=patient)
    answer = await client.get("PlanDefinition/stepped-care/$apply", params={"subject": patient})
    assert answer.status_code == 403


async def test_a_plan_that_cannot_be_applied_says_where(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    verifier.caller = COORDINATOR
    patient = await new_patient(engine)
    action: Resource = {
        "title": "x",
        "condition": [
            {"kind": "applicability", "expression": {"language": "text/fhirpath", "expression": "%unheard > 1"}}
        ],
    }
    made = await store(engine, {"resourceType": "PlanDefinition", "status": "active", "action": [action]})
    answer = await client.get(f"{made}/$apply", params={"subject": patient})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["PlanDefinition.action[0].condition[0].expression"]
