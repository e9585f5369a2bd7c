"""``/api/plans/{id}/measures``: scores ready to plot, and what they say."""

from typing import Any

import httpx

from shared.engine import Engine
from shared.fhir.json import Resource, dumps
from shared.security.caller import Caller, Role
from tests.factories.engine import FixedVerifier
from tests.factories.resources import care_plan
from tests.integration.careplans.hearing import new_patient, store
from tests.integration.careplans.test_scores_over_fhir import logged
from tests.unit.services.careplans.domain.measures.answering import observed, ours

PLANS = "http://test/api/plans"


async def measured(client: httpx.AsyncClient, plan: str) -> dict[str, Any]:
    """The measures by id."""
    answer = await client.get(f"{PLANS}/{plan.removeprefix('CarePlan/')}/measures")
    assert answer.status_code == 200, answer.text
    return {each["measure"]: each for each in answer.json()["measures"]}


async def score(engine: Engine, patient: str, measure: str, value: Any, at: str, **more: Any) -> str:
    observation = observed(measure, value, at, **more) | {"subject": {"reference": patient}}
    del observation["id"]
    return await store(engine, observation)


async def test_scores_are_ready_to_plot_with_the_change_since_the_plan_began(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient = await new_patient(engine)
    goal: Resource = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Less pain"},
        "subject": {"reference": patient},
        "target": [
            {"measure": {"coding": [{"system": "http://loinc.org", "code": "91147-9"}]}, "detailQuantity": {"value": 3}}
        ],
    }
    plan = await store(
        engine,
        care_plan(patient, period={"start": "2025-02-15"}, goal=[{"reference": await store(engine, goal)}]),
    )
    first, second, refused = [
        await score(engine, patient, "peg", value, at)
        for value, at in ((9, "2025-01-01"), (8, "2025-02-01"), (12, "2025-02-02"))
    ]
    answers = ours("peg", [5, 5, 6], authored="2025-03-01") | {"subject": {"reference": patient}}
    await client.post(
        "QuestionnaireResponse", content=dumps(answers), headers={"content-type": "application/fhir+json"}
    )
    await score(engine, await new_patient(engine), "peg", 1, "2025-02-01")
    peg = (await measured(client, plan))["peg"]
    assert [(each["at"], each["value"], each["band"]) for each in peg["scores"]] == [
        ("2025-01-01T00:00:00Z", 9.0, "severe"),
        ("2025-02-01T00:00:00Z", 8.0, "severe"),
        ("2025-03-01T00:00:00Z", 5.33, "moderate"),
    ]
    assert [each["observation"] for each in peg["scores"][:2]] == [first, second]
    assert peg["refused"] == [{"observation": refused, "why": "out-of-range"}]
    course = peg["change"]
    assert (course["baseline"]["observation"], course["latest"]["value"]) == (second, 5.33)
    assert (course["absolute"], course["relative"], course["response"]) == (-2.67, -0.3333, "responder")
    assert course["source"] == "Dworkin et al., J Pain 9:105 (2008)"
    proposed = peg["proposal"]
    assert (proposed["step"], proposed["reason"]) == ("hold", "target-missed-but-improving")
    assert (proposed["target"], proposed["target_source"]) == (3.0, None)
    assert proposed["review_due"] == "2025-03-29T00:00:00Z"


async def test_it_takes_three_statements_however_many_measures_there_are(
    engine: Engine, client: httpx.AsyncClient
) -> None:
    patient = await new_patient(engine)
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Less pain"}}
    reference = await store(engine, goal | {"subject": {"reference": patient}})
    bare, aimed = care_plan(patient), care_plan(patient, goal=[{"reference": reference}])
    plans = [await store(engine, each) for each in (bare, aimed)]
    for measure in ("peg", "phq-9", "gad-7", "isi"):
        for month in range(1, 7):
            await score(engine, patient, measure, 7, f"2025-{month:02}-01")
    for plan, most in zip(plans, (2, 3), strict=True):
        await measured(client, plan)
        async with logged(engine) as statements:
            found = await measured(client, plan)
        assert len(statements) == most, statements
        assert {len(each["scores"]) for each in found.values()} == {6}


async def test_a_plan_without_scores_has_no_measures(engine: Engine, client: httpx.AsyncClient) -> None:
    plan = await store(engine, care_plan(await new_patient(engine)))
    assert await measured(client, plan) == {}
    elsewhere = await store(engine, care_plan("https://ehr.example/fhir/Patient/p"))
    assert await measured(client, elsewhere) == {}
    assert (await client.get(f"{PLANS}/nobody/measures")).status_code == 404


async def test_patients_see_their_own_measures_only(
    engine: Engine, client: httpx.AsyncClient, verifier: FixedVerifier
) -> None:
    patient = await new_patient(engine)
    plan = await store(engine, care_plan(patient))
    await score(engine, patient, "phq-9", 12, "2025-01-01")
    verifier.caller = Caller("p", Role.PATIENT, fhir_user=patient)
    assert list(await measured(client, plan)) == ["phq-9"]
    verifier.caller = Caller("q", Role.PATIENT, fhir_user="Patient/somebody-else")
    assert (await client.get(f"{PLANS}/{plan.removeprefix('CarePlan/')}/measures")).status_code == 404
