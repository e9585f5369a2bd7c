"""Stable ids for what stands in a plan and its team, so that two versions can be compared and a part has an owner.

An id is made of what is said, not of chance: the same contribution that comes again is the same element.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from services.careplans.domain.codes import OWN_ELEMENT
from shared.errors import Unprocessable
from shared.fhir.json import Resource

_NAMESPACE = uuid5(NAMESPACE_URL, "https://consilium.care/fhir/element")


def refuse_own_ids(before: Resource, after: Resource, element: str) -> None:
    """Raises ``Unprocessable`` where people give an item an id of those that the service gives to what follows a
    referral: the referral that has that id could not come in, or would take its place."""
    known = {item.get("id") for item in before.get(element) or ()}
    for place, item in enumerate(after.get(element) or ()):
        id_ = item.get("id")
        if isinstance(id_, str) and id_.startswith(OWN_ELEMENT) and id_ not in known:
            path = f"{after['resourceType']}.{element}[{place}].id"
            raise Unprocessable(f"Ids that begin with {OWN_ELEMENT} are given by the server.", expression=(path,))


def with_ids(resource: Resource, element: str, like: Resource | None = None) -> Resource:
    """``resource`` with an id for every item of its list ``element``; itself where all have one.

    What stands in ``like`` as well, an earlier version, keeps the id that it has there: clients may lose ids. Raises
    ``Unprocessable`` where an id stands twice (http://hl7.org/fhir/R4/element.html#id)."""
    items: Sequence[Any] = resource.get(element) or ()
    known: set[str] = set()
    for place, item in enumerate(items):
        if (id_ := item.get("id")) is not None:
            if id_ in known:
                path = f"{resource['resourceType']}.{element}[{place}].id"
                raise Unprocessable("An id stands once in a resource.", code="duplicate", expression=(path,))
            known.add(id_)
    if len(known) == len(items):
        return resource
    owner, kept = f"{resource.get('id')}/{element}", _ids_in(like or {}, element)
    alike: dict[str, Iterator[str]] = {}
    named = []
    for item in items:
        if "id" not in item:
            said = _said(item)
            ids = alike.setdefault(said, chain(kept.get(said, ()), _ids(owner, said)))
            item = {"id": next(id_ for id_ in ids if id_ not in known)} | item
            known.add(item["id"])
        named.append(item)
    return resource | {element: named}


def with_ids_if_unique(resource: Resource, element: str) -> Resource:
    """The same for what is stored and only looked at: as it is, where an id stands twice."""
    try:
        return with_ids(resource, element)
    except Unprocessable:
        return resource


def _ids_in(resource: Resource, element: str) -> dict[str, list[str]]:
    """The ids of the items of a list, by what these say."""
    found: dict[str, list[str]] = {}
    for item in resource.get(element) or ():
        if "id" in item:
            found.setdefault(_said(item), []).append(item["id"])
    return found


def _said(item: Resource) -> str:
    return json.dumps({key: value for key, value in item.items() if key != "id"}, sort_keys=True, default=str)


def _ids(owner: str, said: str) -> Iterator[str]:
    """The ids of the first, the second, ... item that says the same."""
    return (uuid5(_NAMESPACE, f"{owner}/{number}/{said}").hex[:16] for number in count())
