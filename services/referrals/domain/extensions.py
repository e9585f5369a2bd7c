"""The extensions that say of a service what R4 has no element for, and elements read as they may be missing.

What each means is written in docs/interop.md. Those of others are read, too, where they say the same:
http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/delivery-method and SDOH-CC's capacity status.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import Any

_OURS = "https://consilium.care/fhir/StructureDefinition"
MODALITY = f"{_OURS}/service-modality"
"""valueCode, one of ``offering.Modality``; repeats. On PractitionerRole, HealthcareService, Schedule."""
AGE_RANGE = f"{_OURS}/service-age-range"
"""valueRange in years, both ends included; repeats."""
PAYER = f"{_OURS}/service-payer"
"""valueReference(Organization); repeats. With one, only those are accepted."""
CAPACITY = f"{_OURS}/service-weekly-capacity"
"""valueUnsignedInt: new patients in a week, from Monday."""
MODALITIES = "https://consilium.care/fhir/CodeSystem/service-modality"
AGE_GROUPS = "https://consilium.care/fhir/CodeSystem/service-age-group"

DELIVERY_METHOD = "http://hl7.org/fhir/us/davinci-pdex-plan-net/StructureDefinition/delivery-method"
DELIVERY_METHODS = "http://hl7.org/fhir/us/davinci-pdex-plan-net/CodeSystem/DeliveryMethodCS"
CAPACITY_STATUS = (
    "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus"
)
CAPACITY_STATUSES = "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
GEOLOCATION = "http://hl7.org/fhir/StructureDefinition/geolocation"


def extended(element: Mapping[str, Any], url: str, value: str) -> Iterator[Any]:
    """The values of the extensions ``url`` of an element; ``value`` is the name of theirs (``valueCode``)."""
    for extension in listed(element, "extension"):
        if extension.get("url") == url and value in extension:
            yield extension[value]


def parts(element: Mapping[str, Any], url: str, part: str, value: str) -> Iterator[Any]:
    """The values of the parts ``part`` of its complex extensions ``url``."""
    for extension in listed(element, "extension"):
        if extension.get("url") == url:
            yield from extended(extension, part, value)


def listed(element: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects in the repeating element ``name``, or the one of an element that does not repeat."""
    value = element.get(name) if isinstance(element, Mapping) else None
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, Mapping)]


def number(value: Any) -> float | None:
    """A finite JSON number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if isfinite(found) else None
