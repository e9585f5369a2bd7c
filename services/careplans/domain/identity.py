"""Stable ids for what stands in a plan and its team, so that two versions can be compared and a part has an owner.

An id is made of what is said, not of chance: the same contribution that comes again is the same element.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from shared.errors import Unprocessable
from shared.fhir.json import Resource

_NAMESPACE = uuid5(NAMESPACE_URL, "https://consilium.care/fhir/element")


def with_ids(resource: Resource, element: str) -> Resource:
    """``resource`` with an id for every item of its list ``element``; itself where all have one.

    Raises ``Unprocessable`` where an id stands twice (http://hl7.org/fhir/R4/element.html#id)."""
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
    named = []
    for item in items:
        if "id" not in item:
            item = {"id": _free_id(f"{resource.get('id')}/{element}", item, known)} | item
            known.add(item["id"])
        named.append(item)
    return resource | {element: named}


def _free_id(place: str, item: Resource, known: set[str]) -> str:
    said = json.dumps(item, sort_keys=True, default=str)
    number = 0
    while (id_ := uuid5(_NAMESPACE, f"{place}/{number}/{said}").hex[:16]) in known:
        number += 1
    return id_
