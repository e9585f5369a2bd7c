"""The Bundle of a document (http://hl7.org/fhir/R4/documents.html#bundle): pure."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from services.gateway.records import Found, Key
from shared.clock import instant
from shared.fhir.json import Resource, dumps, loads
from shared.fhir.search.params.reference import local

ABSENT = "Not part of this document"
_SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def document(first: bytes, others: Collection[bytes], *, identifier: str, at: datetime) -> bytes:
    """The Bundle: ``first`` is the Composition's entry, ``others`` are the rest; ``identifier`` is a UUID."""
    head = {
        "resourceType": "Bundle",
        "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{identifier}"},
        "type": "document",
        "timestamp": instant(at),
    }
    return dumps(head)[:-1] + b',"entry":[' + b",".join((first, *others)) + b"]}"


def entry(full_url: str, resource: bytes) -> bytes:
    """One entry."""
    return dumps({"fullUrl": full_url})[:-1] + b',"resource":' + resource + b"}"


def closed(found: Collection[Found]) -> list[Found]:
    """``found``, in which every reference to a resource of this server leads to one of ``found``.

    What leads elsewhere keeps its display, identifier and type, and loses the link; the resource is marked SUBSETTED.
    """
    parsed = {each.key: loads(each.resource) for each in found}
    versions = {key: resource.get("meta", {}).get("versionId") for key, resource in parsed.items()}
    made = []
    for each in found:
        resource = parsed[each.key]
        loose = [holder for holder in _holders(resource) if not _resolves(holder["reference"], versions)]
        for holder in loose:
            type_ = _target(holder.pop("reference"))[0]
            holder.setdefault("type", type_)
            if "identifier" not in holder:
                holder.setdefault("display", ABSENT)
        made.append(Found(each.key, dumps(_marked(resource))) if loose else each)
    return made


def absolute(resource: Resource, base: str) -> Resource:
    """``resource`` with every reference to this server by its URL below ``base``, in place."""
    for holder in _holders(resource):
        holder["reference"] = f"{base}/{holder['reference']}"
    return resource


def missing(resource: Resource, found: Collection[Key]) -> bool:
    """Whether ``resource`` refers to something of this server that is not ``found``."""
    return any(_target(holder["reference"]) not in found for holder in _holders(resource))


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    """Every Reference to a resource of this server."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            if isinstance(node.get("reference"), str) and local(node["reference"]) is not None:
                yield node


def _target(reference: str) -> Key:
    target = local(reference)
    assert target is not None, "only such references are looked at"
    return target


def _resolves(reference: str, versions: Mapping[Key, str | None]) -> bool:
    """http://hl7.org/fhir/R4/bundle.html#references"""
    target = _target(reference)
    _, _, version = reference.partition("/_history/")
    return target in versions and version in ("", versions[target])


def _marked(resource: Resource) -> Resource:
    meta = resource.get("meta", {})
    return resource | {"meta": {**meta, "tag": [*meta.get("tag", ()), _SUBSETTED]}}
