"""Parts of resources: ``_summary`` and ``_elements`` (http://hl7.org/fhir/R4/search.html#summary, #elements).

What is stored stays whole, and so do its version and ETag. A part is marked with the tag SUBSETTED, and what has that
mark is never stored: a client that writes back what it has of a resource would lose the rest.

``meta``, required elements, and what changes the meaning of others (``implicitRules``, ``modifierExtension``) are in
every part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from shared.errors import Invalid, Unprocessable
from shared.fhir.definitions import PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import elements
from shared.fhir.json import Resource, dumps, loads

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
SUMMARIES = frozenset({"true", "text", "data", "count", "false"})
_ALWAYS = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_WHOLE = ""


@dataclass(frozen=True, slots=True)
class Subset:
    """The part of resources that an answer gives."""

    type: str
    """What is asked for; of others, which a search includes, ``elements`` of theirs are given, or all."""
    summary: str = "false"
    """``true``, ``text`` or ``data``; ``false`` where ``elements`` say it."""
    elements: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By type, what is asked for, without ``[x]``."""

    def of(self, type_: str, body: bytes) -> bytes:
        """The part of the resource in ``body``; ``body`` itself where all of it is asked for."""
        if self.summary == "false" and type_ not in self.elements:
            return body
        resource = loads(body)
        match self.summary:
            case "true":
                part = _summarized(resource, type_)
            case "data":
                part = {name: value for name, value in resource.items() if name != "text"}
            case "text":
                part = _only(resource, type_, frozenset({"text"}))
            case _:
                part = _only(resource, type_, self.elements[type_])
        return dumps(_marked(part))


def shown(subset: Subset | None, type_: str, body: bytes) -> bytes:
    """What an answer gives of the resource in ``body``: those very bytes where no subset is asked for."""
    return body if subset is None else subset.of(type_, body)


def subset_of(type_: str, summaries: Sequence[str], listed: Sequence[str]) -> Subset | None:
    """What the values of ``_summary`` and ``_elements`` ask for; None for whole resources, or none at all (``count``).

    Raises ``Invalid`` for a value that they do not take, and for a summary of which elements are to be chosen."""
    summary = summary_of(summaries)
    names = [name for value in listed for name in value.split(",")]
    if not names:
        return None if summary in ("false", "count") else Subset(type_, summary)
    wanted: dict[str, set[str]] = {}
    for name in names:
        of_type, _, element = name.strip().rpartition(".")
        of_type = of_type or type_
        if of_type not in RESOURCE_TYPES or (found := _names(of_type).get(element)) is None:
            raise Invalid("The parameter _elements takes elements of the resource, separated by commas.", code="value")
        wanted.setdefault(of_type, set()).add(found)
    if summary not in ("false", "count"):
        raise Invalid("Ask for _summary or for _elements, not for both.", code="value")
    if summary == "count":
        return None
    return Subset(type_, elements={of_type: frozenset(found) for of_type, found in wanted.items()})


def summary_of(summaries: Sequence[str]) -> str:
    """The last of the values of ``_summary``. Raises ``Invalid`` for one that it does not take."""
    if not SUMMARIES.issuperset(summaries):
        raise Invalid("The parameter _summary takes true, text, data, count or false.", code="value")
    return summaries[-1] if summaries else "false"


def subset_asked(type_: str, parameters: Sequence[tuple[str, str]]) -> Subset | None:
    """``subset_of`` for a read: of one resource, nothing is to be counted. Raises ``Invalid``."""
    summaries = [value for name, value in parameters if name == "_summary"]
    if summary_of(summaries) == "count":
        raise Invalid("Only a search and a history can be counted.", code="value")
    return subset_of(type_, summaries, [value for name, value in parameters if name == "_elements"])


def refuse_subset(resource: Resource) -> None:
    """Raises ``Unprocessable`` for a resource that says to be a part of one."""
    meta = resource.get("meta")
    for number, tag in enumerate(meta.get("tag", ()) if meta else ()):
        if tag.get("code") == SUBSETTED["code"] and tag.get("system") == SUBSETTED["system"]:
            raise Unprocessable(
                "The tag SUBSETTED marks a part of a resource; what it leaves out would be lost. Send the whole.",
                expression=(f"{resource['resourceType']}.meta.tag[{number}]",),
            )


def _marked(part: Resource) -> Resource:
    meta = part.get("meta", {})
    return part | {"meta": meta | {"tag": [*meta.get("tag", ()), SUBSETTED]}}


def _only(resource: Resource, type_: str, wanted: frozenset[str]) -> Resource:
    """The top-level elements that are ``wanted`` or never left out."""
    kept = _members(type_, wanted)
    return {name: value for name, value in resource.items() if name in kept}


@cache
def _names(type_: str) -> Mapping[str, str]:
    """How ``_elements`` may name an element: ``value``, ``value[x]`` or ``valueQuantity``; to ``value``."""
    return {
        name: element.name.removesuffix("[x]")
        for element in elements(type_)
        for name in (element.name.removesuffix("[x]"), element.name, *(name for name, _ in element.names()))
    }


@lru_cache(maxsize=1_024)
def _members(type_: str, wanted: frozenset[str]) -> frozenset[str]:
    """The JSON names of the ``wanted`` elements of ``type_`` and of those that are always given."""
    found = set(_ALWAYS)
    for element in elements(type_):
        if element.required or element.name.removesuffix("[x]") in wanted:
            for name, _ in element.names():
                found |= {name, f"_{name}"}
    return frozenset(found)


def _summarized(value: Any, path: str) -> Any:
    """The elements of a summary, at any depth."""
    if type(value) is list:
        return [_summarized(each, path) for each in value]
    if path == _WHOLE or type(value) is not dict:
        return value
    kept = _summary(path)
    # what has nothing but extensions, such as a data-absent-reason, is not left empty
    return {name: _summarized(item, kept[name]) for name, item in value.items() if name in kept} or value


@cache
def _summary(path: str) -> Mapping[str, str]:
    """The JSON names in the summary of the type or part at ``path``, with the path of what they hold."""
    kept = dict.fromkeys(_ALWAYS if path in RESOURCE_TYPES else {"modifierExtension"}, _WHOLE)
    for element in elements(path):
        if (element.summary or element.required) and element.name not in kept:
            for name, type_ in element.names():
                has_parts = type_.name not in PRIMITIVE_TYPES and type_.name not in ("Resource", "Extension")
                kept[name] = type_.name if has_parts else _WHOLE
                if type_.name in PRIMITIVE_TYPES:
                    kept[f"_{name}"] = _WHOLE
    return kept
