"""CarePlan/[id]/$everything over all services, and the OperationDefinition that says what it is."""

from collections.abc import AsyncIterator

import pytest

from shared.errors import ConsiliumError
from shared.fhir.validate import check
from tests.factories.edge import Edge, quiet_edge
from tests.factories.story import RECORD, held

URL = "/fhir/CarePlan/plan/$everything"


@pytest.fixture
async def edge(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers that holds the plan's story."""
    async with quiet_edge(postgres, templates, *held()) as running:
        yield running


async def test_all_that_belongs_to_the_plan_comes_once_and_nothing_else(edge: Edge) -> None:
    answer = await edge.ask("GET", URL)
    assert answer.status_code == 200
    bundle = answer.json()
    assert bundle["type"] == "searchset"
    assert bundle["link"] == [{"relation": "self", "url": f"http://test{URL}"}]
    names = [entry["fullUrl"].partition("/fhir/")[2] for entry in bundle["entry"]]
    assert sorted(name for name in names if not name.startswith("Provenance/")) == RECORD
    assert len(names) == len(set(names))
    assert [entry["search"]["mode"] for entry in bundle["entry"]] == ["match"] + ["include"] * (len(names) - 1)
    assert names[0] == "CarePlan/plan"
    targets = {
        target["reference"].partition("/_history")[0]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Provenance"
        for target in entry["resource"]["target"]
    }
    assert {"CarePlan/plan", "ServiceRequest/order", "Task/task"} <= targets
    empty = await edge.ask("POST", URL, json={"resourceType": "Parameters"})
    assert [each["fullUrl"] for each in empty.json()["entry"]] == [each["fullUrl"] for each in bundle["entry"]]
    head = await edge.ask("HEAD", URL)
    assert (head.status_code, head.content) == (200, b"")


async def test_what_names_the_plan_belongs_to_it(edge: Edge) -> None:
    """Orders and tasks that are based on the plan, which does not list them."""
    await edge.put(next(each for each in held() if each.get("id") == "order") | {"id": "late"})
    before = await edge.ask("GET", URL)
    late = next(each for each in held() if each.get("id") == "order") | {"id": "later"}
    assert (await edge.put(late | {"basedOn": [{"reference": "CarePlan/plan"}]})).status_code == 201
    after = await edge.ask("GET", URL)
    added = {each["fullUrl"] for each in after.json()["entry"]} - {each["fullUrl"] for each in before.json()["entry"]}
    assert "http://test/fhir/ServiceRequest/later" in added
    assert "http://test/fhir/ServiceRequest/late" not in added


async def test_refusals(edge: Edge) -> None:
    for id_, status in (("nobody", 404), ("_history", 404), ("_search", 404), ("a%20b", 404)):
        answer = await edge.ask("GET", f"/fhir/CarePlan/{id_}/$everything")
        assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")
    assert (await edge.ask("DELETE", "/fhir/CarePlan/other")).status_code == 204
    assert (await edge.ask("GET", "/fhir/CarePlan/other/$everything")).status_code == 410
    assert (await edge.client.get(URL)).status_code == 401
    assert (await edge.ask("PUT", URL, json={})).status_code == 405
    for url in (URL, "/fhir/Patient/robin/$everything"):
        for accept in ("application/fhir+xml", "text/plain"):
            assert (await edge.ask("GET", url, headers={"accept": accept})).status_code == 406
    assert (await edge.ask("POST", URL, content=b"{")).status_code == 400
    assert (await edge.ask("POST", URL, json={"resourceType": "Patient"})).status_code == 400


async def test_the_definition_can_be_read_and_is_valid(edge: Edge) -> None:
    statement = (await edge.ask("GET", "/fhir/metadata")).json()
    (plan,) = (each for each in statement["rest"][0]["resource"] if each["type"] == "CarePlan")
    urls = [
        each["definition"] for each in plan["operation"] if each["definition"].startswith("https://consilium.care/")
    ]
    assert "https://consilium.care/fhir/OperationDefinition/careplan-everything" in urls
    for url in urls:
        place = f"/fhir/OperationDefinition/{url.rpartition('/')[2]}"
        answer = await edge.ask("GET", place)
        assert (answer.status_code, answer.json()["url"]) == (200, url)
        try:
            check(answer.json())
        except ConsiliumError as refused:
            pytest.fail(str(refused.issues))
        assert (await edge.ask("PUT", place, json=answer.json())).status_code == 405
    assert (await edge.ask("GET", "/fhir/OperationDefinition/unknown")).status_code == 404
