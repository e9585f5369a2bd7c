"""``_list``: what the entries of a List refer to (http://hl7.org/fhir/R4/search.html#list)."""

from shared.errors import Invalid, NotSupported
from shared.fhir.search.escapes import split_unescaped, unescape
from shared.fhir.search.filters import Filter, Ids
from shared.fhir.search.lookups import Lookups
from shared.fhir.search.params.reference import local


def criterion(type_: str, value: str, lookups: Lookups) -> Filter:
    """The filter for the ids of Lists. An entry that is marked as deleted counts for nothing.

    Raises ``Invalid`` for a List that is not at hand, ``NotSupported`` for one by function (``$current-problems``)."""
    ids: dict[str, None] = {}
    for text in split_unescaped(value, ","):
        name = unescape(text)
        if name.startswith("$"):
            raise NotSupported("Lists by function are not supported.")
        found = lookups.lists.get(name)
        if found is None:
            raise Invalid("The list is not known to this server.", code="not-found")
        for entry in found.get("entry", ()):
            target = None if entry.get("deleted") else local(entry.get("item", {}).get("reference", ""))
            if target and target[0] == type_:
                ids[target[1]] = None
    return Ids(tuple(ids))
