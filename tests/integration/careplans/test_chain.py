"""``/api/plans/{id}/chain``: what a referral did for function, as one query."""

from datetime import timedelta

import httpx
import pytest

from shared.clock import instant
from shared.engine import Engine
from shared.fhir.json import Resource
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.integration.careplans.hearing import Referral, hear, new_patient, shared_plan, store
from tests.integration.careplans.test_measures_over_rest import PLANS, score
from tests.integration.careplans.test_scores_over_fhir import logged


async def worked(engine: Engine) -> tuple[str, str, Referral, str]:
    """A patient with a referral that was completed with a report, and one that has not begun; the chain's URL."""
    patient = await new_patient(engine)
    referral, waiting = Referral(patient, discipline="physical-therapy"), Referral(patient)
    report: Resource = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Report"},
        "subject": {"reference": patient},
        "issued": "2026-03-16T12:00:00Z",
    }
    outcome = await store(engine, report)
    await hear(engine, referral.event("accepted"), waiting.event("received"))
    await hear(engine, referral.event("scheduled", version=5, business_status="5.1.4"))
    await hear(engine, referral.event("completed", version=6, outputs=(outcome,)))
    now = engine.clock()
    for measure in ("odi", "phq-9"):
        await score(engine, patient, measure, 16, instant(now - timedelta(days=30)))
        await score(engine, patient, measure, 10, instant(now + timedelta(days=1)))
    plan = await shared_plan(engine, patient)
    return patient, f"{PLANS}/{plan['id']}/chain", referral, outcome


async def test_what_a_referral_did_for_function(engine: Engine, client: httpx.AsyncClient) -> None:
    patient, url, referral, outcome = await worked(engine)
    answer = await client.get(url, params={"task": referral.task, "about": "function"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["patient"], told["complete"]) == (patient, True)
    [activity] = told["activities"]
    assert (activity["request"], activity["task"]) == (referral.service_request, referral.task)
    assert [state["status"] for state in activity["states"]] == ["accepted", "not-started", "in-progress", "completed"]
    assert activity["reports"] == [{"reference": outcome, "status": "final", "date": "2026-03-16T12:00:00Z"}]
    [odi] = activity["measures"]
    assert (odi["measure"], odi["before"]["value"], odi["latest_since"]["value"]) == ("odi", 16.0, 10.0)
    assert (odi["absolute"], odi["response"], odi["unknown"]) == (-6.0, "responder", None)
    assert "need not be its effect" in odi["says"]


async def test_all_activities_are_told_and_what_is_not_known_is_null(engine: Engine, client: httpx.AsyncClient) -> None:
    _, url, referral, _ = await worked(engine)
    activities = {each["task"]: each for each in (await client.get(url)).json()["activities"]}
    assert len(activities) == 2
    waiting = next(each for task, each in activities.items() if task != referral.task)
    assert (waiting["begun"], waiting["reports"]) == (None, [])
    assert {each["unknown"] for each in waiting["measures"]} == {"not-begun"}
    assert all(each["response"] is None and each["absolute"] is None for each in waiting["measures"])


async def test_it_takes_five_statements_however_much_there_is(engine: Engine, client: httpx.AsyncClient) -> None:
    """The plan, its versions, its referrals, the scores, the reports."""
    patient, url, _, _ = await worked(engine)
    for round_ in range(2):
        await client.get(url)
        async with logged(engine) as statements:
            assert (await client.get(url)).status_code == 200
        assert len(statements) == 5, statements
        for _ in range(3 * (1 - round_)):
            await hear(engine, Referral(patient).event("accepted"))
            await score(engine, patient, "peg", 5, "2026-01-01")


@pytest.mark.parametrize("query", ["?task=x", "?about=money", "?task=Task/a/b", "?colour=red"])
async def test_what_cannot_be_asked_is_refused(engine: Engine, client: httpx.AsyncClient, query: str) -> None:
    _, url, _, _ = await worked(engine)
    assert (await client.get(f"{url}{query}")).status_code in (400, 422)


async def test_patients_see_a_chain_of_their_own(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient, url, _, _ = await worked(engine)
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert (await client.get(url)).status_code == 200
    verifier.caller = Caller("q", Role.PATIENT, fhir_user="Patient/somebody-else")
    assert (await client.get(url)).status_code == 404
    assert (await client.get(f"{PLANS}/none/chain")).status_code == 404
