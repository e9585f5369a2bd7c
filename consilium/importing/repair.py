"""References and URLs of real files that a strict server refuses, put right on the way in; each is counted and told.

- A PUT whose URL names another id than its resource: the resource's own id counts.
- A reference to a resource that is neither in the files nor on the server: kept as a logical reference, so that
  nothing is lost and nothing dangles (http://hl7.org/fhir/R4/references.html#logical).
"""

from collections import Counter
from typing import Any

from consilium.importing.references import holders, literal
from consilium.importing.units import Entry, Unit

URL = "a PUT under another id than its resource's: the resource's id was used"
DANGLING = "a reference to a resource that is nowhere: kept as a logical reference"


def with_own_ids(unit: Unit, told: Counter[str]) -> Unit:
    """``unit`` with PUT URLs that agree with their resources."""
    return Unit(unit.source, unit.atomic, tuple(_own_id(entry, told) for entry in unit.entries))


def _own_id(entry: Entry, told: Counter[str]) -> Entry:
    resource, request = entry.get("resource"), entry["request"]
    if request["method"] != "PUT" or not isinstance(resource, dict) or "?" in request["url"]:
        return entry
    type_, _, id_ = request["url"].partition("/")
    if "id" not in resource:
        return {**entry, "resource": {**resource, "id": id_}}
    if resource["id"] == id_ or resource.get("resourceType") != type_:
        return entry
    told[URL] += 1
    return {**entry, "request": {**request, "url": f"{type_}/{resource['id']}"}}


def literals(unit: Unit) -> set[str]:
    """The ``Type/id`` that ``unit`` refers to."""
    found = (literal(holder["reference"]) for entry in unit.entries for holder in holders(entry.get("resource")))
    return {reference for reference in found if reference}


def without_dangling(unit: Unit, missing: set[str], told: Counter[str]) -> Unit:
    """``unit`` with references to ``missing`` as logical ones."""
    if not missing & literals(unit):
        return unit
    return Unit(unit.source, unit.atomic, tuple(_logical(entry, missing, told) for entry in unit.entries))


def _logical(value: Any, missing: set[str], told: Counter[str]) -> Any:
    if isinstance(value, list):
        return [_logical(child, missing, told) for child in value]
    if not isinstance(value, dict):
        return value
    copy = {name: _logical(child, missing, told) for name, child in value.items()}
    reference = copy.get("reference")
    target = literal(reference) if isinstance(reference, str) else None
    if target in missing and target is not None:
        told[DANGLING] += 1
        del copy["reference"]
        copy.setdefault("type", target.partition("/")[0])
        copy.setdefault("identifier", {"value": target})
    return copy
