"""Every pair by PATCH (http://hl7.org/fhir/R4/http.html#patch): JSON Patch and FHIRPath Patch."""

import json
from typing import Any

import httpx
import pytest

from tests.factories.patches import JSON_PATCH, operation, parameters
from tests.integration.referrals.ways.table import STATES, State, named
from tests.integration.referrals.ways.trying import SEEN, Change, One, Place, attempts, check, one_by_one

ELEMENTS = {"status": "valueCode", "businessStatus": "valueCodeableConcept", "statusReason": "valueCodeableConcept"}
"""What a step changes, and the type of each as a part of a FHIRPath Patch."""
BESIDE = {"description": "valueString"}


async def by_json_patch(client: httpx.AsyncClient, change: Change) -> int:
    """Adding an element that is there replaces it (RFC 6902)."""
    before, after = change
    operations: list[dict[str, Any]] = []
    for element in (*ELEMENTS, *BESIDE, "output"):
        if element in after:
            operations.append({"op": "add", "path": f"/{element}", "value": after[element]})
        elif element in before:
            operations.append({"op": "remove", "path": f"/{element}"})
    headers = {"If-Match": SEEN, "Content-Type": JSON_PATCH}
    return (await client.patch(f"Task/{before['id']}", content=json.dumps(operations), headers=headers)).status_code


async def by_fhirpath_patch(client: httpx.AsyncClient, change: Change) -> int:
    before, after = change
    operations: list[dict[str, Any]] = []
    for element, kind in (ELEMENTS | BESIDE).items():
        if element in after:
            value = {kind: after[element]}
            if element in before:
                operations.append(operation("replace", f"Task.{element}", value=value))
            else:
                operations.append(operation("add", "Task", name=element, value=value))
        elif element in before:
            operations.append(operation("delete", f"Task.{element}"))
    for visit in after.get("output", ()):
        parts = [
            {"name": "type", "valueCodeableConcept": visit["type"]},
            {"name": "value", "valueReference": visit["valueReference"]},
        ]
        operations.append(operation("add", "Task", name="output", value={"part": parts}))
    body = parameters(*operations)
    return (await client.patch(f"Task/{before['id']}", json=body, headers={"If-Match": SEEN})).status_code


@pytest.mark.parametrize("source", STATES, ids=named)
@pytest.mark.parametrize("way", [by_json_patch, by_fhirpath_patch])
async def test_a_patch_goes_where_the_tables_say_and_nowhere_else(place: Place, source: State, way: One) -> None:
    await check(place, f"{way.__name__.replace('_', '-')}-{STATES.index(source)}", one_by_one(way), attempts(source))
