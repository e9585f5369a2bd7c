"""The FHIRPath of an element of a plan, with the ids of what it is in (http://hl7.org/fhirpath/N1/)."""

from collections.abc import Iterator, Mapping

from shared.fhir.json import Resource

KEYED = frozenset({"CarePlan.activity"})
"""Lists whose items are known by their id."""

Activities = Mapping[str, Resource]
"""By FHIRPath."""


def place_of(where: str, id_: object) -> str:
    """The FHIRPath of the item ``id_`` of the list ``where`` (http://hl7.org/fhirpath/N1/#string)."""
    said = str(id_).replace("\\", "\\\\").replace("'", "\\'")
    return f"{where}.where(id='{said}')"


def activities_by_place(plan: Resource) -> Activities:
    """The activities by their FHIRPath."""
    return {place_of("CarePlan.activity", each.get("id")): each for each in plan.get("activity") or ()}


def places_of(path: str) -> Iterator[str]:
    """``path`` and what it may be in, the innermost first: more than there are, as an id may have a dot in it.

    The items of a list are not in a change of its order."""
    yield path
    place = len(path)
    while (place := path.rfind(".", 0, place)) > 0:
        if path[:place] not in KEYED:
            yield path[:place]
