"""A comparison on the wire: a ``Parameters`` that the OperationOutcome of a refusal contains
(http://hl7.org/fhir/R4/domainresource.html#DomainResource), so that programs can lay the three versions side by side.
"""

from collections.abc import Iterable

from shared.errors import ConsiliumError, Issue
from shared.fhir.comparison import Element
from shared.fhir.json import Resource, dumps
from shared.fhir.parameters import parameters, parts, value

LINK = "https://consilium.care/fhir/StructureDefinition/outcome-diff"
"""The extension by which an OperationOutcome refers to the diff that it contains (dom-3)."""
_ID = "diff"


def add_difference(error: ConsiliumError, current: Resource, base: int, found: Iterable[Element]) -> None:
    """Tell with ``error`` what is stored by now (``current``) and how that differs from what was sent, with an issue
    for each element that clashes. ``base`` is the version that it was made from."""
    elements = list(found)
    version = current["meta"]["versionId"]
    diff = parameters(
        value("base", "valueString", str(base)),
        value("current", "valueString", version),
        {"name": "resource", "resource": current},
        *map(_element, elements),
    )
    error.contained, error.linked, error.version = (_with_id(diff),), {LINK: _ID}, int(version)
    clashing = [Issue("conflict", _text(each), (each.path,)) for each in elements if each.clashes]
    if clashing:
        error.issues = tuple(clashing)


def _with_id(resource: Resource) -> Resource:
    return {"resourceType": resource["resourceType"], "id": _ID} | resource


def _element(element: Element) -> Resource:
    told = [value("path", "valueString", element.path)]
    if element.changed_by is not None:
        told.append(value("changed-by", "valueCode", element.changed_by.value))
    told.append(value("conflict", "valueBoolean", element.clashes))
    versions = (("base", element.base), ("theirs", element.theirs), ("mine", element.mine))
    told += [value(name, "valueString", as_text(said)) for name, said in versions if said is not None]
    return parts("element", *told)


def as_text(said: object) -> str:
    """A JSON value as a string, so that any element fits into a Parameters."""
    return dumps(said).decode()


def _text(element: Element) -> str:
    if element.changed_by is None:
        return "The version that this was made from is not kept, and this element is another in the current one."
    return "Others changed this element, too, since the version that this was made from."
