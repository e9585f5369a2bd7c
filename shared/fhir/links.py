"""Links between the entries of a transaction, put in place (http://hl7.org/fhir/R4/http.html#trules).

A link stands in ``Reference.reference``, in an element of type uri, url, oid or uuid, or in ``href`` and ``src`` of the
narrative. A canonical, and a string that happens to look like one, stay as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.errors import Invalid
from shared.fhir.definitions import PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.naming import named_elements

VERSION_SPECIFIC = "http://hl7.org/fhir/StructureDefinition/resolve-as-version-specific"
"""https://hl7.org/fhir/extensions/StructureDefinition-resolve-as-version-specific.html"""
_LINKS = frozenset({"uri", "url", "oid", "uuid"})
_IN_NARRATIVE = re.compile(r"""(\b(?:href|src)\s*=\s*)("[^"]*"|'[^']*')""")
_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class Links:
    """What links turn into."""

    references: Mapping[str, str]
    """Of ``Reference.reference``: fullUrls, conditional references, other names of this server."""
    urls: Mapping[str, str] = field(default_factory=dict)
    """Of all other links: fullUrls only."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """``Type/id`` -> the version that the transaction makes of it."""


def linked(resource: Any, links: Links) -> Any:
    """A copy of ``resource`` with every link in place. Raises ``Invalid`` for what is nested too deeply."""
    return _linked(resource, "Resource", links, 0)


def _linked(value: Any, type_: str, links: Links, depth: int) -> Any:
    if isinstance(value, str):
        if type_ in _LINKS:
            return links.urls.get(value, value)
        return _narrative(value, links) if type_ == "xhtml" else value
    if isinstance(value, list):
        return [_linked(each, type_, links, depth + 1) for each in value]
    if not isinstance(value, dict) or type_ in PRIMITIVE_TYPES:
        # an object in place of a primitive is refused by the validation, which comes later
        return value
    if depth > _DEEPEST:
        raise Invalid("The JSON is nested too deeply.", code="structure")
    named = value.get("resourceType")
    elements = named_elements(named if isinstance(named, str) and named in RESOURCE_TYPES else type_)
    made: dict[str, Any] = {}
    for name, child in value.items():
        element = elements.get(name.removeprefix("_"))
        if element is None:
            made[name] = child
        elif isinstance(child, dict | list | str):
            made[name] = _linked(child, "Element" if name[:1] == "_" else element.type, links, depth + 1)
        else:
            made[name] = child
    if isinstance(value.get("reference"), str) and type_ == "Reference":
        _refer(made, links)
    return made


def _refer(made: dict[str, Any], links: Links) -> None:
    """Put the target into a Reference: with its version where the source asked for that, which is then done."""
    target = links.references.get(made["reference"], made["reference"])
    made["reference"] = target
    extensions = made.get("extension")
    if not isinstance(extensions, list) or target not in links.versions:
        return
    others = [each for each in extensions if not _asks_for_version(each)]
    if len(others) == len(extensions):
        return
    made["reference"] = f"{target}/_history/{links.versions[target]}"
    made["extension"] = others
    if not others:
        del made["extension"]


def _asks_for_version(extension: Any) -> bool:
    return (
        isinstance(extension, dict)
        and extension.get("url") == VERSION_SPECIFIC
        and extension.get("valueBoolean") is True
    )


def _narrative(div: str, links: Links) -> str:
    def one(match: re.Match[str]) -> str:
        quote, link = match[2][0], match[2][1:-1]
        return f"{match[1]}{quote}{links.urls.get(link, link)}{quote}"

    return _IN_NARRATIVE.sub(one, div) if "href" in div or "src" in div else div
