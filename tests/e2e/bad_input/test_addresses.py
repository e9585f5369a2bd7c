"""Requests for what is not there, or not in the way they ask: addresses, methods, formats, versions."""

import pytest

from tests.e2e.bad_input.refusals import refused
from tests.factories.edge import Edge


@pytest.mark.parametrize(
    ("method", "url", "status", "headers"),
    [
        ("GET", "/fhir/Patient/absent", 404, {}),
        ("GET", "/fhir/Patient/p1/_history/99", 404, {}),
        ("GET", "/fhir/Patient/p1/_history/x", 404, {}),
        ("GET", "/fhir/Patient/p1/nonsense", 404, {}),
        ("GET", "/fhir/Patient/p1/_history/1/more", 404, {}),
        ("GET", "/fhir/Nonsense", 404, {}),
        ("GET", "/fhir/Nonsense/1", 404, {}),
        ("GET", "/fhir/patient/p1", 404, {}),
        ("GET", "/fhir//Patient/p1", 404, {}),
        ("GET", "/fhir/Patient//p1", 404, {}),
        ("GET", "/fhir/Patient/%00", 404, {}),
        ("GET", "/fhir/Patient/%ff%fe", 404, {}),
        ("GET", "/fhir/Patient/..%2f..%2fapi", 404, {}),
        ("GET", "/fhir/Patient/" + "x" * 65, 404, {}),
        ("GET", "/fhir/Patient/" + "x" * 60_000, 404, {}),
        ("GET", "/fhir/$nonsense", 404, {}),
        ("GET", "/fhir/Patient/p1/$nonsense", 404, {}),
        ("GET", "/nonsense", 404, {}),
        ("GET", "/", 404, {}),
        ("GET", "/api", 404, {}),
        ("GET", "/api/nonsense", 404, {}),
        ("GET", "/api/plans/p1/nonsense", 404, {}),
        ("GET", "/fhir", 405, {}),
        ("DELETE", "/fhir", 405, {}),
        ("POST", "/fhir/metadata", 405, {}),
        ("DELETE", "/fhir/Patient", 400, {}),
        ("PUT", "/fhir/Patient", 400, {}),
        ("PATCH", "/fhir/Patient/p1", 400, {}),
        ("POST", "/fhir/Patient/p1", 405, {}),
        ("OPTIONS", "/fhir/Patient/p1", 405, {}),
        ("TRACE", "/fhir/Patient", 405, {}),
        ("BREW", "/fhir/Patient", 405, {}),
        ("GET", "/fhir/Patient/_search", 405, {}),
        ("DELETE", "/fhir/Patient/p1/_history", 405, {}),
        ("DELETE", "/api/plans", 405, {}),
        ("HEAD", "/fhir/Patient/absent", 404, {}),
        ("GET", "/fhir/Patient/p1", 406, {"accept": "text/plain"}),
        ("GET", "/fhir/metadata", 406, {"accept": "text/html"}),
        ("GET", "/fhir/Patient?_format=html", 406, {}),
        ("POST", "/fhir/Patient", 406, {"accept": "text/plain"}),
        ("GET", "/fhir/Patient/p1", 400, {"if-none-match": "nonsense"}),
        ("DELETE", "/fhir/Patient/p1", 400, {"if-match": "1"}),
        ("DELETE", "/fhir/Patient/p1", 412, {"if-match": 'W/"99"'}),
        ("DELETE", "/fhir/Patient/p1", 409, {}),
        ("GET", "/fhir/Patient/p1/_history?_count=x", 400, {}),
    ],
)
async def test_a_request_for_what_is_not_there(
    quiet: Edge, method: str, url: str, status: int, headers: dict[str, str]
) -> None:
    answer = await refused(quiet, method, url, status, headers=headers)
    if status == 405:
        assert answer.headers["allow"]
