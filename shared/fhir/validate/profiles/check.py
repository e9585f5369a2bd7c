"""One resource against one profile (http://hl7.org/fhir/R4/validation.html)."""

from shared.fhir.json import Resource
from shared.fhir.validate.profiles.elements import profile_test
from shared.fhir.validate.profiles.items import Item
from shared.fhir.validate.profiles.table import type_of
from shared.fhir.validate.profiles.visit import TooCostly, Visit
from shared.fhir.validate.walk import ABOVE, Place


def check_profile(resource: Resource, url: str, visit: Visit, place: Place = ABOVE) -> None:
    """Note in ``visit`` what ``url``, a profile of the table, finds in ``resource``, which is valid R4.

    ``place`` is where it was found, the root or an entry. Raises ``KeyError`` for an unknown profile."""
    type_ = type_of(url)
    visit.profile = url.rsplit("/", 1)[-1]
    if resource["resourceType"] != type_:
        visit.report("invalid", f"this is a profile of {type_}.", place, resource["resourceType"])
        return
    label = "" if place is not ABOVE else type_
    try:
        profile_test(url)(Item(resource, None, "", label, -1), place, visit)
    except TooCostly:
        text = "the resource has more elements than this server checks against a profile."
        visit.report("too-costly", text, place, label)
