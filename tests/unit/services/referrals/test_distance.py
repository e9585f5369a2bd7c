"""Distances, places and languages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals.domain.distance import (
    EARTH_KM,
    Place,
    kilometres,
    nearest,
    place_of_location,
    place_of_patient,
)
from services.referrals.domain.languages import preferred, primary, shared, spoken
from tests.factories.referrals import concept

places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))
BOSTON, NEW_YORK = Place(42.3601, -71.0589), Place(40.7128, -74.0060)


def test_boston_is_306_km_from_new_york() -> None:
    assert kilometres(BOSTON, NEW_YORK) == pytest.approx(306.1, abs=0.1)
    assert nearest(BOSTON, [NEW_YORK, BOSTON]) == 0
    assert nearest(BOSTON, []) is None


@given(places, places)
def test_a_distance_is_the_same_both_ways_and_at_most_half_way_round(one: Place, other: Place) -> None:
    assert 0 <= kilometres(one, other) <= EARTH_KM * 3.1416
    assert kilometres(one, other) == pytest.approx(kilometres(other, one))


@pytest.mark.parametrize(
    ("position", "place"),
    [
        ({"latitude": 1, "longitude": 2}, Place(1, 2)),
        ({"latitude": 91, "longitude": 2}, None),
        ({"latitude": 1}, None),
        ({"latitude": "1", "longitude": 2}, None),
        (None, None),
    ],
)
def test_a_location_is_where_it_says_if_that_is_on_earth(position: Any, place: Place | None) -> None:
    assert place_of_location({"position": position}) == place


def test_a_patient_lives_at_the_first_address_with_coordinates() -> None:
    parts = [{"url": "latitude", "valueDecimal": 3}, {"url": "longitude", "valueDecimal": 4}]
    located = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": parts}]}
    assert place_of_patient({"address": [{"city": "Boston"}, located]}) == Place(3, 4)
    assert place_of_patient({}) is None


def test_regions_of_a_language_make_no_difference() -> None:
    assert [primary(tag) for tag in ("es-MX", "ES", "pt_BR", "zh-Hans-CN")] == ["es", "es", "pt", "zh"]
    assert shared({"es", "en"}, ["fr", "es-MX"]) == "es"
    assert shared(set(), ["fr"]) is None
    assert spoken([concept("urn:ietf:bcp:47", "es-MX"), {"text": "French"}]) == {"es"}


def test_a_preferred_language_counts_alone() -> None:
    spanish, english = ({"language": concept("urn:ietf:bcp:47", tag)} for tag in ("es", "en-US"))
    assert preferred({"communication": [english, spanish | {"preferred": True}]}) == ("es",)
    assert preferred({"communication": [english, spanish]}) == ("en", "es")
    assert preferred({}) == ()
