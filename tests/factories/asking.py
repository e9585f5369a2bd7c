"""Searches over HTTP: what they find, and how they are refused."""

from collections.abc import Iterable

import httpx

from shared.fhir.json import Resource

STRICT = {"prefer": "handling=strict"}


async def put(fhir: httpx.AsyncClient, resources: Iterable[Resource]) -> None:
    """Store ``resources`` under their ids."""
    for resource in resources:
        answer = await fhir.put(f"{resource['resourceType']}/{resource['id']}", json=resource)
        assert answer.status_code in (200, 201), answer.text


async def found(fhir: httpx.AsyncClient, query: str) -> list[str]:
    """The ids of the matches of ``query`` (``Patient?active=true``), in order."""
    answer = await fhir.get(query, headers=STRICT)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["type"] == "searchset"
    return [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == "match"]


async def refused(fhir: httpx.AsyncClient, query: str) -> str:
    """The code of the issue with which ``query`` is refused: 400 and an OperationOutcome, also where lenient."""
    answer = await fhir.get(query)
    assert answer.status_code == 400, answer.text
    outcome = answer.json()
    assert outcome["resourceType"] == "OperationOutcome"
    code: str = outcome["issue"][0]["code"]
    return code
