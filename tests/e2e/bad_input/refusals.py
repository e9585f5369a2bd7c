"""What every refusal must be: the right status, an OperationOutcome or a problem, and nothing stored."""

from typing import Any

import httpx

from tests.factories.edge import Edge

FHIR = {"content-type": "application/fhir+json"}
DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
"""JSON too deep to be meant."""


async def refused(edge: Edge, method: str, url: str, status: int | set[int], **more: Any) -> httpx.Response:
    """The refusal of a request; fails when anything was stored or the body is not what the address speaks."""
    before = await edge.rows()
    answer = await edge.ask(method, url, **more)
    assert answer.status_code in ({status} if isinstance(status, int) else status), answer.text
    told(answer, url)
    assert await edge.rows() == before
    return answer


def told(answer: httpx.Response, url: str) -> None:
    """The body of an error: an OperationOutcome below ``/fhir``, a problem elsewhere."""
    if answer.request.method == "HEAD":
        assert answer.content == b""
    elif url.startswith("/fhir"):
        assert answer.headers["content-type"].startswith("application/fhir+json")
        outcome = answer.json()
        assert outcome["resourceType"] == "OperationOutcome"
        assert outcome["issue"][0]["severity"] in ("error", "fatal")
        assert outcome["issue"][0]["diagnostics"]
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
