"""An import as a client runs it: kick-off, worker, report."""

import json
from typing import Any

import httpx

from tests.factories.bulk import ASYNC, lines_of

HEADERS = ASYNC | {"content-type": "application/fhir+ndjson"}


def ndjson(*resources: Any) -> bytes:
    """One line for each; text as it is."""
    return b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in resources)


async def sent(fhir: httpx.AsyncClient, body: bytes) -> str:
    """The status URL of a new import."""
    answer = await fhir.post("$import", content=body, headers=HEADERS)
    assert answer.status_code == 202, answer.text
    return answer.headers["content-location"]


async def report(fhir: httpx.AsyncClient, status: str) -> tuple[list[int], dict[int, dict[str, Any]]]:
    """The numbers of the lines that were stored; the first issue of those that were not."""
    answer = await fhir.get(status)
    assert answer.status_code == 200, answer.text
    manifest = answer.json()
    outcomes: list[list[dict[str, Any]]] = []
    for element in ("output", "error"):
        lines = [line for file in manifest[element] for line in await lines_of(fhir, file["url"])]
        assert len(lines) == sum(file["count"] for file in manifest[element])
        outcomes.append([line["issue"][0] for line in lines])
    stored, refused = outcomes
    assert all(issue["severity"] == "information" for issue in stored)
    return sorted(map(_number, stored)), {_number(issue): issue for issue in refused}


def _number(issue: dict[str, Any]) -> int:
    return int(issue["diagnostics"].partition("Line ")[2].partition(":")[0])
