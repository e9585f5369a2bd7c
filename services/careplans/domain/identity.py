"""Stable ids for what stands in a plan and its team, so that two versions can be compared and a part has an owner.

An id is made of what is said, not of chance: the same contribution that comes again is the same element.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import count
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
    owner, alike = f"{resource.get('id')}/{element}", dict[str, Iterator[str]]()
    named = []
    for item in items:
        if "id" not in item:
            said = json.dumps(item, sort_keys=True, default=str)
            ids = alike.setdefault(said, _ids(owner, said))
            item = {"id": next(id_ for id_ in ids if id_ not in known)} | item
            known.add(item["id"])
        named.append(item)
    return resource | {element: named}


def _ids(owner: str, said: str) -> Iterator[str]:
    """The ids of the first, the second, ... item that says the same."""
    return (uuid5(_NAMESPACE, f"{owner}/{number}/{said}").hex[:16] for number in count())
