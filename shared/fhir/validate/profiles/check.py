"""One resource against one profile (http://hl7.org/fhir/R4/validation.html)."""

from shared.fhir.json import Resource
from shared.fhir.validate.profiles.elements import profile_test
from shared.fhir.validate.profiles.items import Item
from shared.fhir.validate.profiles.table import type_of
from shared.fhir.validate.profiles.visit import TooCostly, Visit
from shared.fhir.validate.walk import ABOVE, Place


def check_profile(resource: Resource, url: str, visit: Visit, place: Place = ABOVE, label: str = "") -> None:
    """Note in ``visit`` what the profile ``url`` finds in ``resource``, which is valid R4.

    ``place`` and ``label``: where it was found, if not as the root (``Bundle.entry[2]``, ``resource``). Raises
    ``KeyError`` for an unknown profile."""
    type_ = type_of(url)
    visit.profile = url.rsplit("/", 1)[-1]
    label = label or resource["resourceType"]
    if resource["resourceType"] != type_:
        visit.report("invalid", f"this is a profile of {type_}.", place, label)
        return
    try:
        profile_test(url)(Item(resource, None, "", label, -1), place, visit)
    except TooCostly:
        text = "the resource has more elements than this server checks against a profile."
        visit.report("too-costly", text, place, label)
