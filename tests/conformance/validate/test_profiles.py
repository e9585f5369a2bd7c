"""$validate by profile (http://hl7.org/fhir/R4/resource-operation-validate.html#profile): one defect each, and none."""

import httpx
import pytest

from shared.fhir.json import Resource, dumps
from tests.factories.profiled import DEFECTS, VALID, Defect
from tests.unit.shared.fhir.validate.examples import changed

JSON = {"content-type": "application/fhir+json"}
OF = dict(VALID)


async def issues(fhir: httpx.AsyncClient, resource: Resource, profile: str) -> list[tuple[str, str, list[str]]]:
    answer = await fhir.post(
        f"{resource['resourceType']}/$validate", params={"profile": profile}, content=dumps(resource), headers=JSON
    )
    assert answer.status_code == 200
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    return [(issue["severity"], issue["code"], issue.get("expression", [])) for issue in outcome["issue"]]


@pytest.mark.parametrize(("profile", "resource"), VALID)
async def test_a_resource_that_conforms(fhir: httpx.AsyncClient, profile: str, resource: Resource) -> None:
    assert await issues(fhir, resource, profile) == [("information", "informational", [])]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d.profile.rsplit('/', 1)[-1]}-{d.path}")
async def test_a_defect(fhir: httpx.AsyncClient, defect: Defect) -> None:
    found = await issues(fhir, changed(OF[defect.profile], defect.path, defect.value), defect.profile)
    assert (defect.severity, defect.code, [defect.expression]) in found
