"""XML at the edge (http://hl7.org/fhir/R4/xml.html): Bundles, the CapabilityStatement, and the gateway's own errors."""

import httpx
import pytest

from services.gateway.forwarding import ForwardingApp
from services.gateway.main import Gateway
from shared.fhir.json import Resource
from shared.fhir.xml import from_xml, to_xml
from tests.integration.gateway.conftest import Edge
from tests.integration.gateway.test_edge import bundle, get
from tests.listening import listening
from tests.ports import refusing_port

XML = {"content-type": "application/fhir+xml", "accept": "application/fhir+xml"}


def _told(answer: httpx.Response, status: int) -> Resource:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+xml; charset=utf-8"
    assert "accept" in answer.headers["vary"]
    return from_xml(answer.content)


@pytest.mark.parametrize("entries", [["Task/1"], ["Task/1", "CarePlan/1", "Nonsense/1"]])
async def test_a_batch_in_xml_is_answered_in_xml(edge: Edge, entries: list[str]) -> None:
    asked = to_xml(bundle("batch", *map(get, entries)))
    told = _told(await edge.client.post("/fhir", content=asked, headers=XML), 200)
    assert len(told["entry"]) == len(entries)
    json = await edge.client.post("/fhir", content=asked, headers={"content-type": "application/fhir+xml"})
    assert json.json()["type"] == "batch-response"


async def test_the_whole_capability_statement_comes_in_xml_and_in_json(edge: Edge) -> None:
    told = _told(await edge.client.get("/fhir/metadata", headers=XML), 200)
    assert told["resourceType"] == "CapabilityStatement"
    json = await edge.client.get("/fhir/metadata?_format=json", headers=XML)
    assert json.json()["resourceType"] == "CapabilityStatement"
    assert json.headers["content-type"].startswith("application/fhir+json")
    pretty = await edge.client.get("/fhir/metadata?_pretty=true")
    assert b'\n  "' in pretty.content


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/fhir/Nonsense", 404), ("PUT", "/fhir", 405), ("DELETE", "/fhir/metadata", 405)],
)
async def test_errors_of_the_edge_follow_accept(edge: Edge, method: str, path: str, status: int) -> None:
    answer = await edge.client.request(method, path, headers={"accept": "application/fhir+xml"})
    assert _told(answer, status)["resourceType"] == "OperationOutcome"
    answer = await edge.client.request(method, path)
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("body", [b"", b"<Bundle/>", b'<!DOCTYPE x []><Bundle xmlns="http://hl7.org/fhir"/>'])
async def test_a_bundle_that_is_no_fhir_xml_is_400(edge: Edge, body: bytes) -> None:
    assert _told(await edge.client.post("/fhir", content=body, headers=XML), 400)["issue"]


async def test_no_format_of_ours_is_406(edge: Edge) -> None:
    for path, method in (("/fhir/metadata", "GET"), ("/fhir", "POST")):
        answer = await edge.client.request(method, path, headers={"accept": "text/plain"})
        assert answer.status_code == 406
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_service_that_is_down_is_told_in_xml() -> None:
    down = ForwardingApp(f"http://127.0.0.1:{refusing_port()}")
    upstreams = {"referrals": down, "careplans": down, "notifications": down}
    async with listening(Gateway(upstreams)) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        assert _told(await client.get("/fhir/Task/1", headers=XML), 503)["resourceType"] == "OperationOutcome"
    await down.aclose()
