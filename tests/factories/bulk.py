"""An export as a client runs it: kick-off, worker, manifest, files."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared import bulk
from shared.engine import Engine

ASYNC = {"prefer": "respond-async"}


@dataclass
class Exported:
    """A finished export: its manifest, and the files' lines."""

    manifest: dict[str, Any]
    lines: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    """``Type/id``."""

    @property
    def names(self) -> list[str]:
        """``Type/id`` of each line, sorted; what the server says of changes (Provenance) aside."""
        return sorted(
            f"{line['resourceType']}/{line['id']}" for line in self.lines if line["resourceType"] != "Provenance"
        )


async def worked(engine: Engine) -> None:
    """Work at all jobs until none waits."""
    while await bulk.turn(engine, asyncio.Event()):
        pass


async def kicked_off(fhir: httpx.AsyncClient, path: str = "$export", **more: Any) -> str:
    """The status URL of a new export."""
    headers = ASYNC | more.pop("headers", {})
    answer = await fhir.request("POST" if "json" in more else "GET", path, headers=headers, **more)
    assert answer.status_code == 202, answer.text
    return answer.headers["content-location"]


async def exported(fhir: httpx.AsyncClient, engine: Engine, path: str = "$export", **more: Any) -> Exported:
    """The whole of an export."""
    status = await kicked_off(fhir, path, **more)
    await worked(engine)
    return await fetched(fhir, status)


async def fetched(fhir: httpx.AsyncClient, status: str) -> Exported:
    """The files of an export that is finished."""
    answer = await fhir.get(status)
    assert answer.status_code == 200, answer.text
    found = Exported(answer.json())
    for file in found.manifest["output"]:
        lines = await lines_of(fhir, file["url"])
        assert len(lines) == file["count"]
        assert {line["resourceType"] for line in lines} == {file["type"]}
        found.lines += lines
    for file in found.manifest.get("deleted", []):
        bundles = await lines_of(fhir, file["url"])
        assert len(bundles) == file["count"]
        found.deleted += [entry["request"]["url"] for each in bundles for entry in each["entry"]]
    return found


async def lines_of(fhir: httpx.AsyncClient, url: str) -> list[dict[str, Any]]:
    """The lines of one file."""
    answer = await fhir.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/fhir+ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]
