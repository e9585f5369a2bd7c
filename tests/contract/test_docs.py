"""What the documentation says can be done, done."""

import re
from pathlib import Path

from shared.fhir.kinds import ResourceKind
from tests.factories.engine import FixedVerifier, client_of, create_tables, every_type, running_engine
from tests.factories.resources import patient

DOCS = Path(__file__).parents[2] / "docs"


def _code(page: str) -> str:
    block = re.search(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)
    assert block is not None
    return block.group(1)


async def test_the_kind_in_adding_a_resource_rules_over_http(database_url: str) -> None:
    names: dict[str, object] = {}
    exec(_code("adding-a-resource.md"), names)
    kind = names["FLAG"]
    assert isinstance(kind, ResourceKind)
    await create_tables(database_url)
    service = every_type(kind)
    async with running_engine(database_url, service) as engine, client_of(engine, service, FixedVerifier()) as fhir:
        await fhir.put("Patient/robin", json=patient(id="robin"))
        flag = {
            "resourceType": "Flag",
            "id": "f",
            "status": "inactive",
            "code": {"text": "call back"},
            "subject": {"reference": "Patient/robin"},
        }
        assert (await fhir.put("Flag/f", json=flag)).status_code == 201
        refused = await fhir.put("Flag/f", json=flag | {"status": "active"})
        assert refused.status_code == 409
        assert refused.json()["issue"][0]["expression"] == ["Flag.status"]
        assert (await fhir.get("Flag/f")).json()["status"] == "inactive"
