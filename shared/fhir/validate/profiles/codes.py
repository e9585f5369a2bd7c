"""Bindings to value sets (http://hl7.org/fhir/R4/terminologies.html): yes, no, or not to be told from the table."""

from collections.abc import Mapping
from typing import Any

from shared.fhir.validate.profiles.items import Item
from shared.fhir.validate.profiles.table import Codes


def member(codes: Codes, system: str | None, code: str) -> bool | None:
    """Whether ``code`` of ``system`` (None: any system) is in the set; None where that is unknown."""
    if system is None:
        if any(code in listed for listed in codes.values() if listed is not None):
            return True
        return None if None in codes.values() else False
    if system in codes:
        listed = codes[system]
        return None if listed is None else code in listed
    return None if "" in codes else False


def bound(codes: Codes, item: Item) -> bool | None:
    """The same for the code, Coding, Quantity or CodeableConcept ``item``.

    No for a concept without any coding; unknown where an extension stands in the place of a code."""
    value = item.value
    if type(value) is str:
        return member(codes, None, value)
    if type(value) is not dict:
        return None
    if "coding" not in value and ("code" in value or "text" not in value):
        return _coding(codes, value)
    found = [_coding(codes, each) for each in value.get("coding", ())]
    if True in found:
        return True
    return None if None in found or (not found and "extension" in value) else False


def has_codes(item: Item) -> bool:
    """Whether there is a code at all, right or wrong; an extensible binding lets a concept be text alone."""
    value = item.value
    return type(value) is str or (type(value) is dict and bool("code" in value or value.get("coding")))


def _coding(codes: Codes, coding: Mapping[str, Any]) -> bool | None:
    code = coding.get("code")
    if type(code) is not str:
        return None if "extension" in coding or "_code" in coding or "code" not in coding else False
    system = coding.get("system")
    return member(codes, system, code) if type(system) is str else (None if None in codes.values() else False)
