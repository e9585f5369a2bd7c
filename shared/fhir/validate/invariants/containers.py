"""Rules of resources that hold resources (http://hl7.org/fhir/R4/domainresource.html, bundle.html, parameters.html)."""

from collections.abc import Iterator
from typing import Any

from shared.fhir.validate.invariants.rule import Invariant, Value, has, has_choice


def _fragments(value: Any) -> Iterator[str]:
    """Every string that begins with ``#``, whichever element has it."""
    if isinstance(value, dict):
        for member in value.values():
            yield from _fragments(member)
    elif isinstance(value, list):
        for each in value:
            yield from _fragments(each)
    elif isinstance(value, str) and value.startswith("#"):
        yield value


def _none_nested(resource: Value) -> bool:
    return not any("contained" in each for each in resource.get("contained", ()))


def _all_referred_to(resource: Value) -> bool:
    if "contained" not in resource:
        return True
    named = set(_fragments(resource))
    return all(f"#{each.get('id', '')}" in named or "#" in _fragments(each) for each in resource["contained"])


def _contained_without(resource: Value, *names: str) -> bool:
    return not any(has(each.get("meta", {}), *names) for each in resource.get("contained", ()))


def _entries(bundle: Value) -> list[Value]:
    return bundle.get("entry", [])  # type: ignore[no-any-return]  # the walk made sure


def _each_has(name: str, types: tuple[str, ...], bundle: Value) -> bool:
    wanted = bundle.get("type") in types
    return all((name in entry) == wanted for entry in _entries(bundle))


def _distinct_urls(bundle: Value) -> bool:
    if bundle.get("type") == "history":
        return True
    urls = [
        (entry["fullUrl"], entry.get("resource", {}).get("meta", {}).get("versionId"))
        for entry in _entries(bundle)
        if "fullUrl" in entry
    ]
    return len(set(urls)) == len(urls)


def _begins_with(type_: str, bundle: Value) -> bool:
    return [entry.get("resource", {}).get("resourceType") for entry in _entries(bundle)[:1]] == [type_]


def _document_identifier(bundle: Value) -> bool:
    identifier = bundle.get("identifier", {})
    return bundle.get("type") != "document" or (has(identifier, "system") and has(identifier, "value"))


def _one_content(parameter: Value) -> bool:
    return ("part" in parameter) + ("resource" in parameter) + has_choice(parameter, "value") == 1


_REQUESTED = ("batch", "transaction", "history")
_ANSWERED = ("batch-response", "transaction-response", "history")

CONTAINERS = (
    Invariant("dom-2", "DomainResource", "A contained resource contains none itself.", _none_nested),
    Invariant("dom-3", "DomainResource", "A contained resource is referred to, or refers back.", _all_referred_to),
    Invariant(
        "dom-4",
        "DomainResource",
        "A contained resource has no version and no time of update.",
        lambda v: _contained_without(v, "versionId", "lastUpdated"),
    ),
    Invariant(
        "dom-5",
        "DomainResource",
        "A contained resource has no security label.",
        lambda v: _contained_without(v, "security"),
    ),
    Invariant(
        "bdl-1",
        "Bundle",
        "total is for searches and histories.",
        lambda v: not has(v, "total") or v.get("type") in ("searchset", "history"),
    ),
    Invariant(
        "bdl-2",
        "Bundle",
        "entry.search is for searches.",
        lambda v: v.get("type") == "searchset" or not any("search" in entry for entry in _entries(v)),
    ),
    Invariant(
        "bdl-3",
        "Bundle",
        "entry.request is for batch, transaction and history, and needed there.",
        lambda v: _each_has("request", _REQUESTED, v),
    ),
    Invariant(
        "bdl-4",
        "Bundle",
        "entry.response is for responses and history, and needed there.",
        lambda v: _each_has("response", _ANSWERED, v),
    ),
    Invariant(
        "bdl-5",
        "Bundle.entry",
        "An entry has a resource, a request or a response.",
        lambda v: has(v, "resource", "request", "response"),
    ),
    Invariant("bdl-7", "Bundle", "No two entries have the same fullUrl and version.", _distinct_urls),
    Invariant("bdl-8", "Bundle.entry", "fullUrl names no version.", lambda v: "/_history/" not in v.get("fullUrl", "")),
    Invariant("bdl-9", "Bundle", "A document has an identifier with system and value.", _document_identifier),
    Invariant(
        "bdl-10", "Bundle", "A document has a timestamp.", lambda v: v.get("type") != "document" or "timestamp" in v
    ),
    Invariant(
        "bdl-11",
        "Bundle",
        "A document begins with a Composition.",
        lambda v: v.get("type") != "document" or _begins_with("Composition", v),
    ),
    Invariant(
        "bdl-12",
        "Bundle",
        "A message begins with a MessageHeader.",
        lambda v: v.get("type") != "message" or _begins_with("MessageHeader", v),
    ),
    Invariant("inv-1", "Parameters.parameter", "A parameter has one of value, resource and parts.", _one_content),
)
