"""How the elements of a type stand in XML: in R4's order, primitives as attributes (http://hl7.org/fhir/R4/xml.html)."""

from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from typing import NamedTuple

from shared.fhir.definitions import ABSTRACT_TYPES, PRIMITIVE_TYPES, RESOURCE_TYPES
from shared.fhir.definitions.table import elements


class Form(IntEnum):
    """What an element holds."""

    TEXT = 0
    """A primitive that is a string in JSON, too."""
    NUMBER = 1
    BOOLEAN = 2
    PARTS = 3
    """A datatype, or nested elements."""
    RESOURCE = 4
    """An element around a resource."""
    XHTML = 5
    ATTRIBUTE = 6
    """No element: an attribute of its parent."""


class Member(NamedTuple):
    """One JSON name of a type."""

    place: int
    """Its place in the order of R4."""
    form: Form
    path: str
    """Of ``PARTS``: their type."""
    many: bool


_NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})


@cache
def members(path: str) -> Mapping[str, Member]:
    """The JSON names of the type or part at ``path``. Raises ``KeyError`` for what R4 does not define."""
    found: dict[str, Member] = {}
    for element in elements(path):
        for name, type_ in element.names():
            if (name == "id" and path not in RESOURCE_TYPES) or (name == "url" and path == "Extension"):
                form = Form.ATTRIBUTE
            elif type_.name == "xhtml":
                form = Form.XHTML
            elif type_.name in ABSTRACT_TYPES:
                form = Form.RESOURCE
            elif type_.name not in PRIMITIVE_TYPES:
                form = Form.PARTS
            elif type_.name == "boolean":
                form = Form.BOOLEAN
            else:
                form = Form.NUMBER if type_.name in _NUMBERS else Form.TEXT
            found[name] = Member(len(found), form, type_.name if form is Form.PARTS else "Element", element.many)
    return found
