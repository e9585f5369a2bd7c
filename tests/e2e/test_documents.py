"""``$document`` over all services: of a Composition
(http://hl7.org/fhir/R4/composition-operation-document.html) and of a care plan, for a hand-over."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.fhir.references import references
from shared.fhir.search.params.reference import local
from tests.factories.edge import Edge, quiet_edge
from tests.factories.story import RECORD, held

PLAN = "/fhir/CarePlan/plan/$document"
COMPOSITION = "/fhir/Composition/letter/$document"
BASE = "http://test/fhir"


def letter(**more: Any) -> dict[str, Any]:
    """A stored Composition about Robin that refers to what two services have."""
    return {
        "resourceType": "Composition",
        "id": "letter",
        "status": "final",
        "type": {"text": "Discharge letter"},
        "subject": {"reference": "Patient/robin"},
        "date": "2026-03-01",
        "author": [{"reference": "PractitionerRole/role"}],
        "title": "Letter",
        "section": [{"title": "Plan", "entry": [{"reference": "CarePlan/plan"}]}],
    } | more


@pytest.fixture
async def edge(postgres: str, templates: dict[str, str]) -> AsyncIterator[Edge]:
    """A system without workers that holds the plan's story, and a letter."""
    async with quiet_edge(postgres, templates, *held(), letter()) as running:
        yield running


async def assert_valid(edge: Edge, bundle: dict[str, Any]) -> None:
    answer = await edge.ask("POST", "/fhir/Bundle/$validate", json=bundle)
    assert answer.status_code == 200
    found = [issue for issue in answer.json()["issue"] if issue["severity"] in ("fatal", "error")]
    assert found == []


async def test_a_hand_over_is_a_valid_document_in_which_every_reference_resolves(edge: Edge) -> None:
    answer = await edge.ask("GET", PLAN)
    assert answer.status_code == 200
    bundle = answer.json()
    assert (bundle["type"], bundle["identifier"]["system"]) == ("document", "urn:ietf:rfc:3986")
    assert bundle["identifier"]["value"].startswith("urn:uuid:")
    assert bundle["timestamp"]
    first, *rest = bundle["entry"]
    assert first["resource"]["resourceType"] == "Composition"
    names = {entry["fullUrl"] for entry in rest}
    assert names == {f"{BASE}/{name}" for name in [*RECORD, "MedicationRequest/pill"]}
    assert len(names) == len(rest)
    # the Composition has no address on this server, so it refers by URL; all others do relatively
    assert set(references(first["resource"])) <= names
    for entry in rest:
        assert {f"{BASE}/{each}" for each in references(entry["resource"])} <= names
    await assert_valid(edge, bundle)


async def test_the_sections_hold_what_a_hand_over_needs(edge: Edge) -> None:
    composition = (await edge.ask("GET", PLAN)).json()["entry"][0]["resource"]
    told = {
        section["title"]: [entry["reference"].removeprefix(f"{BASE}/") for entry in section.get("entry", ())]
        for section in composition["section"]
    }
    assert told == {
        "Plan": ["CarePlan/plan"],
        "Goals": ["Goal/goal"],
        "Care team": ["CareTeam/team"],
        "Conditions": ["Condition/pain"],
        "Medications": ["MedicationRequest/pill"],
        "Referrals": ["ServiceRequest/order", "Task/task"],
        "Measures": ["Observation/peg"],
    }
    assert composition["author"] == [{"reference": f"{BASE}/Practitioner/bay"}]
    assert composition["subject"] == {"reference": f"{BASE}/Patient/robin"}
    narratives = {section["title"]: section["text"]["div"] for section in composition["section"]}
    assert "Pain &lt;b&gt;&amp; more&lt;/b&gt;" in narratives["Conditions"]
    assert "Bay" in narratives["Care team"]
    assert "owner: Clinic" in narratives["Referrals"]
    again = (await edge.ask("GET", PLAN)).json()["entry"][0]["resource"]
    assert again["section"] == composition["section"]


async def test_what_is_not_there_is_named_and_not_linked(edge: Edge) -> None:
    bundle = (await edge.ask("GET", PLAN)).json()
    (plan,) = (entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "CarePlan")
    assert plan["activity"][1]["reference"] == {"type": "ServiceRequest", "display": "Not part of this document"}
    assert [tag["code"] for tag in plan["meta"]["tag"]] == ["SUBSETTED"]


async def test_a_composition_comes_with_what_it_refers_to(edge: Edge) -> None:
    bundle = (await edge.ask("GET", COMPOSITION)).json()
    names = [entry["fullUrl"].removeprefix(f"{BASE}/") for entry in bundle["entry"]]
    assert names[0] == "Composition/letter"
    expected = ["CarePlan/plan", "Organization/clinic", "Patient/robin", "Practitioner/bay", "PractitionerRole/role"]
    assert sorted(names[1:]) == expected
    assert all(local(each) in {tuple(name.split("/")) for name in names} for each in references(bundle["entry"][0]))
    assert bundle["identifier"]["value"].startswith("urn:uuid:")
    assert bundle["timestamp"]
    await assert_valid(edge, bundle)
    stored = await edge.ask("GET", "/fhir/Composition/letter")
    assert bundle["entry"][0]["resource"] == stored.json()


async def test_a_composition_that_cannot_be_whole_is_refused(edge: Edge) -> None:
    # the order would be another service's, so nobody refused the Composition for it
    lost = letter(id="lost", section=[{"title": "Order", "entry": [{"reference": "ServiceRequest/lost"}]}])
    assert (await edge.put(lost)).status_code == 201
    answer = await edge.ask("GET", "/fhir/Composition/lost/$document")
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (422, "not-found")


@pytest.mark.parametrize("url", [PLAN, COMPOSITION])
async def test_parameters(edge: Edge, url: str) -> None:
    for query in ("persist=true", "persist=perhaps", "graph=http://example.org/g", "id=other"):
        answer = await edge.ask("GET", f"{url}?{query}")
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome")
        assert "example.org" not in answer.text
    assert (await edge.ask("GET", f"{url}?persist=false")).status_code == 200
    persist = {"resourceType": "Parameters", "parameter": [{"name": "persist", "valueBoolean": True}]}
    refused = await edge.ask("POST", url, json=persist)
    assert refused.status_code == 400
    assert refused.json()["issue"][0]["expression"] == ["Parameters.parameter[0]"]
    for body in ({"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": 1}, []):
        assert (await edge.ask("POST", url, json=body)).status_code == 400
    persist["parameter"] = [{"name": "persist", "valueBoolean": False}]
    assert (await edge.ask("POST", url, json=persist)).json()["type"] == "document"


@pytest.mark.parametrize("type_", ["CarePlan", "Composition"])
async def test_refusals(edge: Edge, type_: str) -> None:
    for id_ in ("nobody", "_history", "a%20b"):
        answer = await edge.ask("GET", f"/fhir/{type_}/{id_}/$document")
        assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")
    url = PLAN if type_ == "CarePlan" else COMPOSITION
    assert (await edge.client.get(url)).status_code == 401
    assert (await edge.ask("DELETE", url)).status_code == 405
    head = await edge.ask("HEAD", url)
    assert (head.status_code, head.content) == (200, b"")
    xml = await edge.ask("GET", url, headers={"accept": "application/fhir+xml"})
    assert xml.status_code == 200
    assert xml.headers["content-type"].startswith("application/fhir+xml")
    assert xml.text.lstrip("\ufeff").find("<Bundle") in range(100)
    assert (await edge.ask("GET", url, headers={"accept": "text/plain"})).status_code == 406
