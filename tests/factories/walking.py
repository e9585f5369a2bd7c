"""A walk through a CapabilityStatement: requests that try everything that it claims.

What needs a valid resource of each of 146 types is tried for being served at all (an empty resource is refused for what
it lacks, an absent one is not found); searches must be carried out, strictly.
"""

from collections.abc import Iterator
from typing import Any

import httpx

from consilium.assembly import SERVICES
from services.gateway.operations import OPERATIONS as AT_THE_EDGE
from services.gateway.operations import PROCESS_MESSAGE
from shared.fhir.operations.operation import Level, Offer
from shared.fhir.operations.table import OF_ALL
from shared.fhir.search.parameters import parameters_of

_VALUES = {
    "token": "a",
    "date": "2026-01-01",
    "string": "a",
    "number": "1",
    "quantity": "1",
    "uri": "http://example.org/a",
}
_AT_ONCE = 250
OF_ONE = tuple(operation for service in SERVICES for operation in service.operations)
ABSENT = "walked-but-never-there"
Resource = dict[str, Any]


def value_of(type_: str, name: str, kind: str) -> str:
    """A search value of the parameter's type."""
    parameter = parameters_of(type_)[name]
    if kind == "reference":
        return f"{sorted(parameter.targets)[0] if parameter.targets else 'Patient'}/{ABSENT}"
    if kind == "composite":
        return "$".join(_VALUES[component.kind] for component in parameter.places[0].components)
    return _VALUES[kind]


def searches(statement: Resource) -> Iterator[str]:
    """A search for each parameter, include and reverse include that is claimed."""
    for resource in statement["rest"][0]["resource"]:
        type_ = resource["type"]
        for told in resource["searchParam"]:
            yield f"{type_}?{told['name']}={value_of(type_, told['name'], told['type'])}&_count=1"
        # several at a time: a type has up to hundreds of these
        for element, name in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            listed = resource.get(element, [])
            for start in range(0, len(listed), 50):
                yield f"{type_}?_count=1&" + "&".join(f"{name}={each}" for each in listed[start : start + 50])


async def refused_searches(
    client: httpx.AsyncClient, base: str, statement: Resource, headers: dict[str, str]
) -> list[str]:
    """The claimed searches that are not answered with a searchset, with their answers."""
    told = headers | {"prefer": "handling=strict"}
    wanted, refused = [], []
    for url in searches(statement):
        if not url.startswith("Provenance?"):
            wanted.append(url)
            continue
        # all services together answer these, so that no Bundle takes them
        found = (await client.get(f"{base}/{url}", headers=told)).json()
        if found.get("type") != "searchset":
            refused.append(f"{url}: {found}")
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        entries = [{"request": {"method": "GET", "url": url}} for url in some]
        body = {"resourceType": "Bundle", "type": "batch", "entry": entries}
        answer = await client.post(base, json=body, headers=told, timeout=120)
        assert answer.status_code == 200, answer.text
        for url, entry in zip(some, answer.json()["entry"], strict=True):
            if entry.get("resource", {}).get("type") != "searchset":
                refused.append(f"{url}: {entry['response']}")
    return refused


async def unserved(client: httpx.AsyncClient, base: str, statement: Resource, headers: dict[str, str]) -> list[str]:
    """The claimed interactions and operations that the server does not know."""
    missing = []
    for method, url, expected in _requests(statement):
        content = {"resourceType": url.partition("/")[0]} if method in ("POST", "PUT") and "$" not in url else None
        told = headers | ({"content-type": "application/json-patch+json"} if method == "PATCH" else {})
        answer = await client.request(method, f"{base}/{url}", json=[] if method == "PATCH" else content, headers=told)
        codes = [issue["code"] for issue in answer.json().get("issue", ())] if answer.content else []
        if answer.status_code not in expected or "not-supported" in codes:
            missing.append(f"{method} {url}: {answer.status_code} {codes}")
    return missing


def _requests(statement: Resource) -> Iterator[tuple[str, str, set[int]]]:
    rest = statement["rest"][0]
    for resource in rest["resource"]:
        type_ = resource["type"]
        tried: dict[str, tuple[str, str, set[int]]] = {
            "read": ("GET", f"{type_}/{ABSENT}", {404}),
            "vread": ("GET", f"{type_}/{ABSENT}/_history/1", {404}),
            "history-instance": ("GET", f"{type_}/{ABSENT}/_history", {404}),
            "history-type": ("GET", f"{type_}/_history?_count=1", {200}),
            "search-type": ("GET", f"{type_}?_count=1", {200}),
            # there are types without a required element
            "create": ("POST", type_, {201, 400, 403, 422}),
            "update": ("PUT", f"{type_}/{ABSENT}", {400}),
            "patch": ("PATCH", f"{type_}/{ABSENT}", {400, 404}),
            "delete": ("DELETE", f"{type_}/{ABSENT}", {204}),
        }
        for interaction in resource["interaction"]:
            yield tried[interaction["code"]]
        for told in resource.get("operation", ()):
            yield from _operation(told, type_)
    if {"code": "history-system"} in rest["interaction"]:
        yield "GET", "_history?_count=1", {200}
    for told in rest.get("operation", ()):
        yield from _operation(told, "")


def _operation(told: Resource, type_: str) -> Iterator[tuple[str, str, set[int]]]:
    known: dict[tuple[str, str], Offer] = {
        (each.name, each.definition): each for each in (*AT_THE_EDGE, PROCESS_MESSAGE, *OF_ALL, *OF_ONE)
    }
    operation = known[told["name"], told["definition"]]
    for level in (Level.TYPE, Level.INSTANCE) if type_ else (Level.SYSTEM,):
        if operation.serves(level, type_):
            place = {Level.SYSTEM: "", Level.TYPE: f"{type_}/", Level.INSTANCE: f"{type_}/{ABSENT}/"}[level]
            yield operation.methods[0], f"{place}${operation.name}", {200, 202, 400, 404, 422}
