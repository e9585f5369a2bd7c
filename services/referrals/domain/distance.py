"""How far it is, as the crow flies (http://hl7.org/fhir/R4/location-definitions.html#Location.position)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from services.referrals.domain.extensions import GEOLOCATION, listed, number, parts

EARTH_KM = 6371.0088
"""Its mean radius (IUGG)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point in WGS 84, in degrees."""

    latitude: float
    longitude: float


def kilometres(one: Place, other: Place) -> float:
    """The great-circle distance (haversine)."""
    up, along = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    chord = sin(up / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along / 2) ** 2
    # rounding may carry antipodes a little beyond 1
    return 2 * EARTH_KM * asin(sqrt(min(1.0, chord)))


def nearest(here: Place, there: Iterable[Place]) -> float | None:
    """The distance to the nearest of ``there``; None where there is none."""
    return min((kilometres(here, place) for place in there), default=None)


def place_of_location(location: Mapping[str, Any]) -> Place | None:
    """Where a Location is; None where it does not say, or says what is not on earth."""
    for position in listed(location, "position"):
        return _place(position.get("latitude"), position.get("longitude"))
    return None


def place_of_patient(patient: Mapping[str, Any]) -> Place | None:
    """Where a Patient lives, by the geolocation of the first address that has one."""
    for address in listed(patient, "address"):
        latitude = next(parts(address, GEOLOCATION, "latitude", "valueDecimal"), None)
        longitude = next(parts(address, GEOLOCATION, "longitude", "valueDecimal"), None)
        found = _place(latitude, longitude)
        if found is not None:
            return found
    return None


def _place(latitude: Any, longitude: Any) -> Place | None:
    north, east = number(latitude), number(longitude)
    if north is None or east is None or abs(north) > 90 or abs(east) > 180:
        return None
    return Place(north, east)
