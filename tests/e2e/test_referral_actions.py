"""What may be done with a referral, asked for and done through the gateway, and the definitions that say how."""

from typing import Any

import pytest

from shared.errors import ConsiliumError
from shared.fhir.validate import check
from tests.e2e.referring import act, furnish, send
from tests.factories.resources import bundle, entry
from tests.factories.system import COORDINATOR, PSYCHOLOGIST, SPECIALIST, System


async def test_the_operations_are_told_and_their_definitions_are_valid(plain_system: System) -> None:
    async with plain_system.site() as site:
        client = site.by(COORDINATOR)
        statement = (await client.get("/fhir/metadata")).json()
        for type_ in ("Task", "ServiceRequest"):
            (told,) = (each for each in statement["rest"][0]["resource"] if each["type"] == type_)
            definitions = {each["name"]: each["definition"] for each in told["operation"]}
            for name in ("available-actions", "perform-action"):
                answer = await client.get(f"/fhir/OperationDefinition/{definitions[name].rpartition('/')[2]}")
                assert (answer.status_code, answer.json()["url"]) == (200, definitions[name])
                assert (answer.json()["code"], answer.json()["affectsState"]) == (name, name == "perform-action")
                try:
                    check(answer.json())
                except ConsiliumError as refused:
                    pytest.fail(str(refused.issues))


async def test_a_referral_goes_its_way_by_actions(system: System) -> None:
    async with system.site() as site:
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        for action, inputs in (
            ("return-with-questions", {"questions": "Is there a recent MRI?"}),
            ("accept", {}),
            ("schedule", {}),
            ("complete", {"report": "DiagnosticReport/elsewhere"}),
        ):
            await act(site, sent, action, **inputs)
        found = await site.by(COORDINATOR).get(f"/fhir/{sent.task}/$available-actions")
        assert _codes(found.json()) == ["acknowledge-report", "mark-as-error"]
        asked = {"resourceType": "Parameters", "parameter": [{"name": "action", "valueCode": "acknowledge-report"}]}
        both = bundle(
            "batch",
            entry("POST", f"{sent.task}/$perform-action", asked, ifMatch='W/"5"'),
            entry("GET", f"{sent.order}/$available-actions"),
        )
        answers = (await site.by(SPECIALIST).post("/fhir", json=both)).json()["entry"]
        assert [each["response"]["status"] for each in answers] == ["200 OK", "200 OK"]
        assert _codes(answers[1]["resource"]) == ["mark-as-error"], "the order was completed by its referral"
        stale = {"If-Match": 'W/"5"'}
        again = await site.by(SPECIALIST).post(f"/fhir/{sent.task}/$perform-action", json=asked, headers=stale)
        assert again.status_code == 412
        refused = await site.by(PSYCHOLOGIST).post(
            f"/fhir/{sent.task}/$perform-action", json=asked, headers={"If-Match": 'W/"6"'}
        )
        assert (refused.status_code, refused.json()["resourceType"]) == (403, "OperationOutcome")


def _codes(parameters: dict[str, Any]) -> list[str]:
    return [each["part"][0]["valueCode"] for each in parameters["parameter"] if each["name"] == "action"]
