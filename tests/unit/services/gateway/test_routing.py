"""Who owns what."""

import pytest

from services.gateway.routing import OWNED_TYPES, owner_of, type_in


@pytest.mark.parametrize(
    ("type_", "owner"),
    [
        ("Task", "referrals"),
        ("Practitioner", "referrals"),
        ("Communication", "notifications"),
        ("CarePlan", "careplans"),
        ("Observation", "careplans"),
        ("Banana", None),
        ("task", None),
        ("", None),
    ],
)
def test_a_type_has_one_owner(type_: str, owner: str | None) -> None:
    assert owner_of(type_) == owner


def test_every_r4_type_is_owned_once() -> None:
    types = [type_ for owned in OWNED_TYPES.values() for type_ in owned]
    assert len(types) == len(set(types)) == 146


@pytest.mark.parametrize("url", ["Task", "Task/1", "/Task/1/_history/2", "Task?code=x", "Task#"])
def test_a_url_names_its_type(url: str) -> None:
    assert type_in(url) == "Task"


@pytest.mark.parametrize(
    ("url", "type_"),
    [
        ("Patient/1/Task", "Task"),
        ("/Patient/1/Task?status=requested", "Task"),
        ("Patient/1/Task/_search", "Task"),
        ("Patient/1/_history/2", "Patient"),
        ("Patient/1/$everything", "Patient"),
        ("Patient/1/Provenance", "Patient"),
        ("Patient?name=a/b/Task", "Patient"),
        ("Group/1/Task", "Group"),
    ],
)
def test_a_search_in_a_compartment_is_about_what_is_searched(url: str, type_: str) -> None:
    assert type_in(url) == type_
